// SPDX-License-Identifier: BSL-1.0
/// How a request went: Status.
#pragma once

#include <cstdint>
#include <string_view>

namespace asyncio::http {

/// A status code: one of the constants, or any other number from 100 to 999. `status == 404` and
/// `switch (status.code())` work.
///
/// asyncio  http.HTTPStatus
class Status {
 public:
  static const Status CONTINUE;
  static const Status SWITCHING_PROTOCOLS;
  static const Status PROCESSING;
  static const Status EARLY_HINTS;
  static const Status OK;
  static const Status CREATED;
  static const Status ACCEPTED;
  static const Status NON_AUTHORITATIVE_INFORMATION;
  static const Status NO_CONTENT;
  static const Status RESET_CONTENT;
  static const Status PARTIAL_CONTENT;
  static const Status MULTI_STATUS;
  static const Status ALREADY_REPORTED;
  static const Status IM_USED;
  static const Status MULTIPLE_CHOICES;
  static const Status MOVED_PERMANENTLY;
  static const Status FOUND;
  static const Status SEE_OTHER;
  static const Status NOT_MODIFIED;
  static const Status USE_PROXY;
  static const Status TEMPORARY_REDIRECT;
  static const Status PERMANENT_REDIRECT;
  static const Status BAD_REQUEST;
  static const Status UNAUTHORIZED;
  static const Status PAYMENT_REQUIRED;
  static const Status FORBIDDEN;
  static const Status NOT_FOUND;
  static const Status METHOD_NOT_ALLOWED;
  static const Status NOT_ACCEPTABLE;
  static const Status PROXY_AUTHENTICATION_REQUIRED;
  static const Status REQUEST_TIMEOUT;
  static const Status CONFLICT;
  static const Status GONE;
  static const Status LENGTH_REQUIRED;
  static const Status PRECONDITION_FAILED;
  static const Status CONTENT_TOO_LARGE;
  static const Status URI_TOO_LONG;
  static const Status UNSUPPORTED_MEDIA_TYPE;
  static const Status RANGE_NOT_SATISFIABLE;
  static const Status EXPECTATION_FAILED;
  static const Status IM_A_TEAPOT;
  static const Status MISDIRECTED_REQUEST;
  static const Status UNPROCESSABLE_CONTENT;
  static const Status LOCKED;
  static const Status FAILED_DEPENDENCY;
  static const Status TOO_EARLY;
  static const Status UPGRADE_REQUIRED;
  static const Status PRECONDITION_REQUIRED;
  static const Status TOO_MANY_REQUESTS;
  static const Status REQUEST_HEADER_FIELDS_TOO_LARGE;
  static const Status UNAVAILABLE_FOR_LEGAL_REASONS;
  static const Status INTERNAL_SERVER_ERROR;
  static const Status NOT_IMPLEMENTED;
  static const Status BAD_GATEWAY;
  static const Status SERVICE_UNAVAILABLE;
  static const Status GATEWAY_TIMEOUT;
  static const Status HTTP_VERSION_NOT_SUPPORTED;
  static const Status VARIANT_ALSO_NEGOTIATES;
  static const Status INSUFFICIENT_STORAGE;
  static const Status LOOP_DETECTED;
  static const Status NOT_EXTENDED;
  static const Status NETWORK_AUTHENTICATION_REQUIRED;

  /// Throws   ValueError if it is not from 100 to 999.
  constexpr Status(int code) : code_(static_cast<std::uint16_t>(code)) {
    if (code < 100 || code > 999) refuse(code);
  }

  constexpr int code() const noexcept { return code_; }
  /// "Not Found" for 404; empty for a number without a name.
  std::string_view phrase() const noexcept;

  constexpr bool is_informational() const noexcept { return code_ / 100 == 1; }
  constexpr bool is_success() const noexcept { return code_ / 100 == 2; }
  constexpr bool is_redirection() const noexcept { return code_ / 100 == 3; }
  constexpr bool is_client_error() const noexcept { return code_ / 100 == 4; }
  constexpr bool is_server_error() const noexcept { return code_ / 100 == 5; }

  constexpr bool operator==(const Status&) const noexcept = default;

 private:
  [[noreturn]] static void refuse(int code);

  std::uint16_t code_;
};

inline constexpr Status Status::CONTINUE{100};
inline constexpr Status Status::SWITCHING_PROTOCOLS{101};
inline constexpr Status Status::PROCESSING{102};
inline constexpr Status Status::EARLY_HINTS{103};
inline constexpr Status Status::OK{200};
inline constexpr Status Status::CREATED{201};
inline constexpr Status Status::ACCEPTED{202};
inline constexpr Status Status::NON_AUTHORITATIVE_INFORMATION{203};
inline constexpr Status Status::NO_CONTENT{204};
inline constexpr Status Status::RESET_CONTENT{205};
inline constexpr Status Status::PARTIAL_CONTENT{206};
inline constexpr Status Status::MULTI_STATUS{207};
inline constexpr Status Status::ALREADY_REPORTED{208};
inline constexpr Status Status::IM_USED{226};
inline constexpr Status Status::MULTIPLE_CHOICES{300};
inline constexpr Status Status::MOVED_PERMANENTLY{301};
inline constexpr Status Status::FOUND{302};
inline constexpr Status Status::SEE_OTHER{303};
inline constexpr Status Status::NOT_MODIFIED{304};
inline constexpr Status Status::USE_PROXY{305};
inline constexpr Status Status::TEMPORARY_REDIRECT{307};
inline constexpr Status Status::PERMANENT_REDIRECT{308};
inline constexpr Status Status::BAD_REQUEST{400};
inline constexpr Status Status::UNAUTHORIZED{401};
inline constexpr Status Status::PAYMENT_REQUIRED{402};
inline constexpr Status Status::FORBIDDEN{403};
inline constexpr Status Status::NOT_FOUND{404};
inline constexpr Status Status::METHOD_NOT_ALLOWED{405};
inline constexpr Status Status::NOT_ACCEPTABLE{406};
inline constexpr Status Status::PROXY_AUTHENTICATION_REQUIRED{407};
inline constexpr Status Status::REQUEST_TIMEOUT{408};
inline constexpr Status Status::CONFLICT{409};
inline constexpr Status Status::GONE{410};
inline constexpr Status Status::LENGTH_REQUIRED{411};
inline constexpr Status Status::PRECONDITION_FAILED{412};
inline constexpr Status Status::CONTENT_TOO_LARGE{413};
inline constexpr Status Status::URI_TOO_LONG{414};
inline constexpr Status Status::UNSUPPORTED_MEDIA_TYPE{415};
inline constexpr Status Status::RANGE_NOT_SATISFIABLE{416};
inline constexpr Status Status::EXPECTATION_FAILED{417};
inline constexpr Status Status::IM_A_TEAPOT{418};
inline constexpr Status Status::MISDIRECTED_REQUEST{421};
inline constexpr Status Status::UNPROCESSABLE_CONTENT{422};
inline constexpr Status Status::LOCKED{423};
inline constexpr Status Status::FAILED_DEPENDENCY{424};
inline constexpr Status Status::TOO_EARLY{425};
inline constexpr Status Status::UPGRADE_REQUIRED{426};
inline constexpr Status Status::PRECONDITION_REQUIRED{428};
inline constexpr Status Status::TOO_MANY_REQUESTS{429};
inline constexpr Status Status::REQUEST_HEADER_FIELDS_TOO_LARGE{431};
inline constexpr Status Status::UNAVAILABLE_FOR_LEGAL_REASONS{451};
inline constexpr Status Status::INTERNAL_SERVER_ERROR{500};
inline constexpr Status Status::NOT_IMPLEMENTED{501};
inline constexpr Status Status::BAD_GATEWAY{502};
inline constexpr Status Status::SERVICE_UNAVAILABLE{503};
inline constexpr Status Status::GATEWAY_TIMEOUT{504};
inline constexpr Status Status::HTTP_VERSION_NOT_SUPPORTED{505};
inline constexpr Status Status::VARIANT_ALSO_NEGOTIATES{506};
inline constexpr Status Status::INSUFFICIENT_STORAGE{507};
inline constexpr Status Status::LOOP_DETECTED{508};
inline constexpr Status Status::NOT_EXTENDED{510};
inline constexpr Status Status::NETWORK_AUTHENTICATION_REQUIRED{511};

}  // namespace asyncio::http
