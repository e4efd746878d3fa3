// SPDX-License-Identifier: BSL-1.0
#include "http/client_failure.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/http/client_errors.hpp"
#include "asyncio/tls.hpp"
#include "http/incomplete_message.hpp"

namespace asyncio::http::detail {

namespace {

[[noreturn]] void throw_cut_off(const std::string& text, Arrived arrived) {
  if (arrived != Arrived::nothing) throw ClientPayloadError(text);
  throw ServerDisconnectedError(text + ", no response byte received");
}

}  // namespace

void throw_client_error(const std::string& what, Arrived arrived, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const IncompleteMessage& failure) {
    const bool began = arrived != Arrived::nothing;
    throw_cut_off(what + ": " + (began ? failure.what() : "the server closed the connection"),
                  arrived);
  } catch (const ProtocolError& failure) {
    if (arrived == Arrived::body) throw ClientPayloadError(what + ": " + failure.what());
    throw ClientProtocolError(what + ": " + failure.what(), failure.position());
  } catch (const ContentEncodingError& failure) {
    throw ContentEncodingError(what + ": " + failure.what());
  } catch (const TimeoutError&) {
    throw ServerTimeoutError(what);
  } catch (const ConnectionError& failure) {
    throw_cut_off(what + ": " + failure.what(), arrived);
  } catch (const SSLEOFError& failure) {
    throw_cut_off(what + ": " + failure.what(), arrived);
  } catch (const OSError& failure) {
    throw ClientOSError(failure.error_number(), what);
  }
}

}  // namespace asyncio::http::detail
