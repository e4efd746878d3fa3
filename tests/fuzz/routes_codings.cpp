// SPDX-License-Identifier: BSL-1.0
// The coding of a body, for what a client accepts.
#include "asyncio/exceptions.hpp"
#include "http/response_coding.hpp"
#include "routes.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fuzz {

using namespace asyncio;

namespace {

class Weight {
 public:
  std::string_view text;
  int thousandths;
};

constexpr std::array<Weight, 12> kWeights{{{"", 1000},
                                           {";q=0", 0},
                                           {";q=0.0", 0},
                                           {"; q=0.000", 0},
                                           {";q=0.001", 1},
                                           {";q=0.01", 10},
                                           {" ; q=0.5", 500},
                                           {";Q=0.25", 250},
                                           {";q=1", 1000},
                                           {";q=1.000", 1000},
                                           {";level=9;q=0", 0},
                                           {";level=9", 1000}}};

constexpr std::array<std::string_view, 7> kCodings{"gzip", "deflate", "*",     "br",
                                                   "GZIP", "DEFLATE", "x-gzip"};

/// What a client accepts, as it says it and as it is meant.
class Accepted {
 public:
  http::Headers headers;
  std::optional<int> gzip, deflate, others;
};

/// Each coding once, in one field or in several.
Accepted some_accepted(Choices& choices) {
  Accepted accepted;
  std::string list;
  while (choices.any()) {
    const std::string_view coding = some_of(choices, kCodings);
    const Weight& weight = kWeights[choices.byte() % kWeights.size()];
    const bool is_deflate = coding == "deflate" || coding == "DEFLATE";
    std::optional<int>& place = coding == "*" ? accepted.others
                                : is_deflate  ? accepted.deflate
                                              : accepted.gzip;
    if (coding != "br") {
      if (place) continue;
      place = weight.thousandths;
    }
    list.append(list.empty() ? "" : ", ").append(coding).append(weight.text);
    if (choices.one_in(4)) accepted.headers.add("Accept-Encoding", std::exchange(list, ""));
  }
  if (!list.empty()) accepted.headers.add("Accept-Encoding", list);
  return accepted;
}

std::string_view wanted_coding(const Accepted& accepted) {
  const int others = accepted.others.value_or(0);
  const int gzip = accepted.gzip.value_or(others), deflate = accepted.deflate.value_or(others);
  if (gzip == 0 && deflate == 0) return "";
  return gzip >= deflate ? "gzip" : "deflate";
}

/// The coding that a large body gets; empty if it stays as it is.
std::string coding_for(const http::Headers& request) {
  const std::string body(500, 'b');
  web::Response response(body);
  http::detail::compress_body(request, response);
  check(response.headers().get("Vary", "") == "Accept-Encoding", "other clients are not told");
  const std::string coding(response.headers().get("Content-Encoding", ""));
  const auto known = http::detail::find_coding(coding);
  if (!known) return check(coding.empty() && response.get_body() == body, "another body"), "";
  std::string_view coded = response.get_body();
  std::string decoded;
  http::detail::make_decoder(*known)->decode(coded, decoded, 2 * body.size());
  check(decoded == body, "a body that is decoded is another one");
  return coding;
}

}  // namespace

void choose_coding(Choices& choices) {
  const Accepted accepted = some_accepted(choices);
  check(coding_for(accepted.headers) == wanted_coding(accepted), "a coding that is not wanted");
}

/// Nobody gets a coding who has not named it.
void accept_anything(const std::string& text) {
  http::Headers headers;
  try {
    headers.add("Accept-Encoding", text);
  } catch (const ValueError&) {
    return;
  }
  const std::string coding = coding_for(headers);
  std::string small = text;
  for (char& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const bool is_named =
      small.find('*') != std::string::npos || small.find(coding) != std::string::npos;
  check(is_named, "a coding that nobody has named");
}

}  // namespace fuzz
