// SPDX-License-Identifier: BSL-1.0
/// How two sides agree on permessage-deflate (RFC 7692, 5 to 7.1).
#include "asyncio/exceptions.hpp"
#include "http/characters.hpp"
#include "http/permessage_deflate.hpp"

#include <algorithm>
#include <array>

namespace asyncio::http::detail {

namespace {

constexpr std::string_view kName = "permessage-deflate";

/// zlib's bare streams have no smaller window.
constexpr int kLeastBits = 9;
constexpr int kMostBits = 15;

/// 8 to 15 without a leading zero, maybe in quotes.
std::optional<int> parse_bits(std::string_view text) noexcept {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  constexpr std::array<std::string_view, 8> kAll{"8", "9", "10", "11", "12", "13", "14", "15"};
  const auto* found = std::ranges::find(kAll, text);
  if (found == kAll.end()) return std::nullopt;
  return static_cast<int>(found - kAll.begin()) + 8;
}

struct Parameters {
  DeflateTerms terms;
  bool has_client_bits = false;
  bool has_server_bits = false;
};

/// Takes "name=value" in. Returns whether it is known, well formed and there for the first time.
bool take_parameter(Parameters& parameters, std::string_view text, bool is_offer) {
  std::string_view rest = text;
  std::string_view name = trimmed(take_until(rest, '='));
  bool has_value = text.find('=') != std::string_view::npos;
  auto switch_on = [has_value](bool& flag) {
    bool first = !flag && !has_value;
    flag = true;
    return first;
  };
  auto set_bits = [&](bool& is_there, int& bits, bool value_is_needed) {
    std::optional<int> number = parse_bits(trimmed(rest));
    bool right = !is_there && (number || (!has_value && !value_is_needed));
    is_there = true;
    if (number) bits = *number;
    return right;
  };
  DeflateTerms& terms = parameters.terms;
  if (name == "server_no_context_takeover") return switch_on(terms.server_no_context_takeover);
  if (name == "client_no_context_takeover") return switch_on(terms.client_no_context_takeover);
  if (name == "server_max_window_bits")
    return set_bits(parameters.has_server_bits, terms.server_max_window_bits, true);
  if (name == "client_max_window_bits")
    return set_bits(parameters.has_client_bits, terms.client_max_window_bits, !is_offer);
  return false;
}

std::optional<Parameters> parse_extension(std::string_view text, bool is_offer) {
  if (trimmed(take_until(text, ';')) != kName) return std::nullopt;
  Parameters parameters;
  while (!text.empty())
    if (!take_parameter(parameters, trimmed(take_until(text, ';')), is_offer)) return std::nullopt;
  return parameters;
}

}  // namespace

std::string deflate_offer(const DeflateTerms& wanted) {
  std::string offer(kName);
  if (wanted.server_no_context_takeover) offer += "; server_no_context_takeover";
  if (wanted.client_no_context_takeover) offer += "; client_no_context_takeover";
  if (wanted.server_max_window_bits != kMostBits)
    offer += "; server_max_window_bits=" + std::to_string(wanted.server_max_window_bits);
  // Without a value it says that the server may choose one.
  offer += "; client_max_window_bits";
  if (wanted.client_max_window_bits != kMostBits)
    offer += "=" + std::to_string(wanted.client_max_window_bits);
  return offer;
}

std::optional<DeflateTerms> accept_deflate(std::string_view offers, const DeflateTerms& wanted) {
  while (!offers.empty()) {
    std::optional<Parameters> offered = parse_extension(take_item(offers), true);
    if (!offered || offered->terms.server_max_window_bits < kLeastBits) continue;
    DeflateTerms terms = offered->terms;
    terms.server_no_context_takeover |= wanted.server_no_context_takeover;
    terms.client_no_context_takeover |= wanted.client_no_context_takeover;
    terms.server_max_window_bits =
        std::min(terms.server_max_window_bits, wanted.server_max_window_bits);
    // A client that has not said that it can is not told to use a smaller window. One with a
    // smaller window than we allow it to have is read all the same.
    terms.client_max_window_bits =
        offered->has_client_bits
            ? std::min(terms.client_max_window_bits, wanted.client_max_window_bits)
            : kMostBits;
    return terms;
  }
  return std::nullopt;
}

std::string deflate_answer(const DeflateTerms& terms) {
  std::string answer(kName);
  if (terms.server_no_context_takeover) answer += "; server_no_context_takeover";
  if (terms.client_no_context_takeover) answer += "; client_no_context_takeover";
  if (terms.server_max_window_bits != kMostBits)
    answer += "; server_max_window_bits=" + std::to_string(terms.server_max_window_bits);
  if (terms.client_max_window_bits != kMostBits)
    answer += "; client_max_window_bits=" + std::to_string(terms.client_max_window_bits);
  return answer;
}

std::optional<DeflateTerms> read_deflate_answer(std::string_view answer,
                                                const DeflateTerms& wanted) {
  if (trimmed(answer).empty()) return std::nullopt;
  std::optional<Parameters> settled;
  if (answer.find(',') == std::string_view::npos) settled = parse_extension(answer, false);
  const bool right =
      settled && settled->terms.client_max_window_bits >= kLeastBits &&
      settled->terms.server_max_window_bits <= wanted.server_max_window_bits &&
      (settled->terms.server_no_context_takeover || !wanted.server_no_context_takeover);
  if (!right)
    throw ValueError("Sec-WebSocket-Extensions " + quoted(answer) + ": not what was offered");
  // Ours to choose, whatever the server allows.
  DeflateTerms& terms = settled->terms;
  terms.client_no_context_takeover |= wanted.client_no_context_takeover;
  terms.client_max_window_bits =
      std::min(terms.client_max_window_bits, wanted.client_max_window_bits);
  return terms;
}

}  // namespace asyncio::http::detail
