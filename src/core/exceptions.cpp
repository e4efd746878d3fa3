// SPDX-License-Identifier: BSL-1.0
#include "asyncio/exceptions.hpp"

#include "asyncio/exception_group.hpp"
#include "source_text.hpp"

#include <cerrno>
#include <cxxabi.h>
#include <typeinfo>
#include <utility>

namespace asyncio {

// Out of line, so that each class has one type_info in one library.
BaseException::~BaseException() = default;
CancelledError::~CancelledError() = default;
KeyboardInterrupt::~KeyboardInterrupt() = default;
GeneratorExit::~GeneratorExit() = default;

TimeoutError::TimeoutError(const std::string& operation, std::exception_ptr cause)
    : OSError(ETIMEDOUT, operation),
      text_(operation.empty() ? "timed out" : operation + ": timed out"),
      cause_(std::move(cause)) {}

IncompleteReadError::IncompleteReadError(std::string partial_bytes,
                                         std::optional<std::size_t> expected_bytes)
    : std::runtime_error(std::to_string(partial_bytes.size()) + " bytes read on a total of " +
                         (expected_bytes ? std::to_string(*expected_bytes) : "undefined") +
                         " expected bytes"),
      partial(std::move(partial_bytes)),
      expected(expected_bytes) {}

LimitOverrunError::LimitOverrunError(const std::string& message, std::size_t consumed_bytes)
    : std::runtime_error(message), consumed(consumed_bytes) {}

QueueEmpty::QueueEmpty() : std::runtime_error("the queue is empty") {}
QueueFull::QueueFull() : std::runtime_error("the queue is full") {}
QueueShutDown::QueueShutDown() : std::runtime_error("the queue is shut down") {}

namespace {

template <class E>
std::exception_ptr make(int error_number, const std::string& operation) {
  return std::make_exception_ptr(E(error_number, operation));
}

}  // namespace

/// CPython: Objects/exceptions.c, the table of errnomap.
std::exception_ptr make_os_error(int error_number, const std::string& operation) {
  switch (error_number) {
    case ETIMEDOUT:
      return std::make_exception_ptr(TimeoutError(operation));
    case EAGAIN:
    case EALREADY:
    case EINPROGRESS:
      return make<BlockingIOError>(error_number, operation);
    case EPIPE:
    case ESHUTDOWN:
      return make<BrokenPipeError>(error_number, operation);
    case ECHILD:
      return make<ChildProcessError>(error_number, operation);
    case ECONNABORTED:
      return make<ConnectionAbortedError>(error_number, operation);
    case ECONNREFUSED:
      return make<ConnectionRefusedError>(error_number, operation);
    case ECONNRESET:
      return make<ConnectionResetError>(error_number, operation);
    case EEXIST:
      return make<FileExistsError>(error_number, operation);
    case ENOENT:
      return make<FileNotFoundError>(error_number, operation);
    case EINTR:
      return make<InterruptedError>(error_number, operation);
    case EISDIR:
      return make<IsADirectoryError>(error_number, operation);
    case ENOTDIR:
      return make<NotADirectoryError>(error_number, operation);
    case EACCES:
    case EPERM:
      return make<PermissionError>(error_number, operation);
    case ESRCH:
      return make<ProcessLookupError>(error_number, operation);
    default:
      return make<OSError>(error_number, operation);
  }
}

void throw_os_error(int error_number, const std::string& operation) {
  std::rethrow_exception(make_os_error(error_number, operation));
}

namespace {

std::string with_text(const std::type_info& type, const char* text) {
  std::string name = detail::type_name(type);
  return *text ? name + ": " + text : name;
}

}  // namespace

std::string describe_exception(const std::exception_ptr& error) {
  if (!error) return "no exception";
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    // The group's own line would be of no help without those of its errors.
    std::string tree = group.tree();
    return with_text(typeid(group), group.what()) +
           tree.substr(tree.find('\n'), tree.size() - tree.find('\n') - 1);
  } catch (const std::exception& e) {
    return with_text(typeid(e), e.what());
  } catch (const BaseException& e) {
    return with_text(typeid(e), e.what());
  } catch (...) {  // Described, not handled: whoever owns `error` decides about it.
    const std::type_info* type = abi::__cxa_current_exception_type();
    return type ? "exception of type " + detail::type_name(*type) : "foreign exception";
  }
}

namespace detail {

ErrorKind classify(const std::exception_ptr& error) noexcept {
#ifdef __GLIBCXX__
  const std::type_info& type = *error.__cxa_exception_type();
  if (type == typeid(CancelledError)) return ErrorKind::cancelled;
  if (type == typeid(KeyboardInterrupt)) return ErrorKind::interrupt;
  return ErrorKind::ordinary;
#else
  try {
    std::rethrow_exception(error);
  } catch (const CancelledError&) {
    return ErrorKind::cancelled;
  } catch (const KeyboardInterrupt&) {
    return ErrorKind::interrupt;
  } catch (...) {  // Classified only; the owner of `error` handles it.
    return ErrorKind::ordinary;
  }
#endif
}

}  // namespace detail

}  // namespace asyncio
