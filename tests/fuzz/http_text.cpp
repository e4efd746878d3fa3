// SPDX-License-Identifier: BSL-1.0
/// What is read of the texts in heads: URLs, percent-encoding, forms, cookies, parameters, dates,
/// ranges, what WebSockets agree on. What is printed is read as the same, nothing goes beyond a
/// bound.
#include "asyncio/exceptions.hpp"
#include "asyncio/http/cookies.hpp"
#include "asyncio/http/percent.hpp"
#include "asyncio/http/url.hpp"
#include "choices.hpp"
#include "http/conditions.hpp"
#include "http/dates.hpp"
#include "http/parameters.hpp"
#include "http/permessage_deflate.hpp"
#include "http/utf8.hpp"

#include <chrono>
#include <string>

using namespace asyncio;
using namespace asyncio::http;
using fuzz::check;
using fuzz::Choices;

namespace {

bool is_printable(std::string_view text) {
  for (char c : text)
    if (c < 0x21 || c > 0x7e) return false;
  return true;
}

void check_url(const URL& url) {
  check(is_printable(url.str()), "a URL with a byte that is none of its own");
  check(URL(url.str()) == url, "a URL that is printed is read as another one");
  // Browsers decode what is percent-encoded in a host.
  if (url.host().find('%') == std::string_view::npos)
    check(URL::lenient(url.str()) == url, "a strict URL means something else to browsers");
  if (url.scheme().empty() || !url.is_absolute()) return;
  check(url.str().starts_with(url.scheme()), "a scheme that is not at the front");
  const URL base("http://base.example/a/b?c");
  check(base.join(url) == url, "an absolute reference that depends on the page");
  check(url.with_fragment("x").without_fragment() == url.without_fragment(), "a fragment stays");
}

void urls(const std::string& text) {
  try {
    check_url(URL(text));
  } catch (const InvalidURL&) {
  }
  try {
    check_url(URL::lenient(text));
  } catch (const InvalidURL&) {
  }
}

void references(Choices& choices) {
  try {
    const URL page = URL::lenient(choices.text(choices.byte()));
    const URL reference = URL::lenient(choices.rest());
    if (page.is_absolute()) check_url(page.join(reference));
  } catch (const InvalidURL&) {
  }
}

void forms(const std::string& text) {
  check(unquote(quote(text)) == text, "percent-encoding that changes");
  try {
    const MultiDict pairs = parse_qsl(text);
    check(parse_qsl(urlencode(pairs)) == pairs, "a form that is written is read as another one");
  } catch (const ValueError&) {
  }
}

void cookies(const std::string& text) {
  (void)parse_cookies(text);
  const auto cookie = Cookie::parse(text);
  if (!cookie) return;
  const auto again = Cookie::parse(cookie->text());
  check(again && again->name() == cookie->name() && again->value() == cookie->value(),
        "a cookie that is written is read as another one");
  CookieJar jar;
  const URL from("https://www.example.com/a/b");
  if (jar.update(text, from) && jar.size() == 1)
    check(!jar.entries()[0].path.empty() && !jar.entries()[0].domain.empty(),
          "a cookie of nowhere");
  check(jar.header_for(URL("https://other.example/")).empty(), "a cookie goes to another site");
}

void parameters(const std::string& text) {
  if (const auto value = http::detail::parse_parameters(text))
    for (const auto& [name, held] : value->parameters)
      check(!name.empty(), "a parameter without a name");
  const std::string form = "form-data; name=" + http::detail::quoted_parameter(text);
  const auto again = http::detail::parse_parameters(form);
  check(again && again->value == "form-data", "a quoted parameter breaks out of its quotes");
}

void dates(const std::string& text) {
  const auto time = http::detail::parse_cookie_date(text);
  if (!time) return;
  const std::string printed = http::detail::http_date(*time);
  const auto again = http::detail::parse_cookie_date(printed);
  check(again && http::detail::http_date(*again) == printed,
        "a date that is printed is another one");
}

void ranges(Choices& choices) {
  const http::detail::Representation now{"\"tag\"", {}, choices.byte()};
  Headers headers;
  try {
    headers.add("Range", choices.text(choices.byte()));
    headers.add("If-Range", choices.text(choices.byte()));
    headers.add("If-None-Match", choices.rest());
  } catch (const ValueError&) {
    return;
  }
  (void)http::detail::check_conditions(headers, now);
  http::detail::ByteRange range;
  if (http::detail::find_range(headers, now, range) != http::detail::RangeOutcome::Part) return;
  check(range.size > 0 && range.begin < now.size && range.size <= now.size - range.begin,
        "a range beyond the end");
}

void deflate_terms(const std::string& text) {
  const http::detail::DeflateTerms wanted;
  if (const auto terms = http::detail::accept_deflate(text, wanted)) {
    check(terms->server_max_window_bits >= 9 && terms->server_max_window_bits <= 15, "a window");
    (void)http::detail::read_deflate_answer(http::detail::deflate_answer(*terms), wanted);
  }
  try {
    (void)http::detail::read_deflate_answer(text, wanted);
  } catch (const ValueError&) {
  }
}

void utf8(const std::string& text) {
  http::detail::Utf8 bytes;
  bool right = true;
  for (char c : text) right = right && bytes.feed(std::string_view(&c, 1));
  check((right && bytes.complete()) == http::detail::is_utf8(text),
        "single bytes change what is UTF-8");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  switch (choices.below(9)) {
    case 0:
      urls(choices.rest());
      break;
    case 1:
      references(choices);
      break;
    case 2:
      forms(choices.rest());
      break;
    case 3:
      cookies(choices.rest());
      break;
    case 4:
      parameters(choices.rest());
      break;
    case 5:
      dates(choices.rest());
      break;
    case 6:
      ranges(choices);
      break;
    case 7:
      deflate_terms(choices.rest());
      break;
    default:
      utf8(choices.rest());
  }
  return 0;
}
