// SPDX-License-Identifier: BSL-1.0
#include "vectordb/server/json_text.hpp"

#include "vectordb/engine/errors.hpp"

#include <charconv>
#include <cstdint>
#include <string>
#include <utility>

namespace vectordb {

using nlohmann::json;

namespace {

constexpr std::size_t kDeepest = 512;   // it recurses
constexpr std::ptrdiff_t kDigits = 18;  // of a whole number that 64 bits hold for certain

bool is_digit(char byte) noexcept { return byte >= '0' && byte <= '9'; }
bool is_letter(char byte) noexcept {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/// Reads structures, plain strings and numbers, the latter by std::from_chars: nlohmann's lexer
/// copies them byte by byte for strtod. What is not plain (escapes, other characters than ASCII,
/// numbers that are too large, what may be no JSON at all) goes to nlohmann token by token.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {
    if (text.starts_with("\xEF\xBB\xBF")) at_ += 3;  // the mark of UTF-8
  }

  json whole() {
    json result = value(0);
    if (next() != '\0' || at_ != end_) fail("the end is expected");
    return result;
  }

 private:
  json value(std::size_t depth) {
    const char first = next();
    if (first == '{') return object(depth + 1);
    if (first == '[') return array(depth + 1);
    if (first == '"') return string();
    if (first == '-' || is_digit(first)) return number();
    return word(at_);
  }

  /// true, false or null; or none of them, perhaps with a sign.
  json word(const char* begin) {
    const char* letters = at_;
    while (at_ != end_ && is_letter(*at_)) ++at_;
    const std::string_view text(letters, static_cast<std::size_t>(at_ - letters));
    if (letters == begin && text == "null") return nullptr;
    if (letters == begin && (text == "true" || text == "false")) return text == "true";
    std::string small;
    for (char letter : text) small += static_cast<char>(letter | 0x20);
    if (small == "nan" || small == "inf" || small == "infinity")
      fail("NaN and Infinity are no numbers in JSON", begin);
    fail("a value is expected", begin);
  }

  json object(std::size_t depth) {
    enter(depth);
    json all = json::object();
    if (take('}')) return all;
    do {
      if (next() != '"') fail("a name in quotes is expected");
      const json name = string();
      expect(':');
      all[name.get_ref<const std::string&>()] = value(depth);
    } while (take(','));
    expect('}');
    return all;
  }

  json array(std::size_t depth) {
    enter(depth);
    json all = json::array();
    if (take(']')) return all;
    auto& elements = all.get_ref<json::array_t&>();
    do elements.push_back(value(depth));
    while (take(','));
    expect(']');
    return all;
  }

  json string() {
    const char* begin = at_++;
    bool is_plain = true;
    for (; at_ != end_ && *at_ != '"'; ++at_) {
      const auto byte = static_cast<unsigned char>(*at_);
      if (byte < 0x20 || byte >= 0x80) is_plain = false;
      if (byte != '\\') continue;
      is_plain = false;
      if (++at_ == end_) break;
    }
    if (at_ == end_) fail("a string does not end");
    ++at_;
    return is_plain ? json(std::string(begin + 1, at_ - 1)) : token(begin);
  }

  json number() {
    const char* begin = at_;
    if (*at_ == '-') ++at_;
    if (at_ == end_ || !is_digit(*at_)) return word(begin);
    const char* digits = at_;
    bool is_plain = skip_digits();
    if (at_ - digits > 1 && *digits == '0') is_plain = false;
    const bool is_whole = at_ == end_ || (*at_ != '.' && *at_ != 'e' && *at_ != 'E');
    if (is_whole && is_plain && at_ - digits <= kDigits) return whole_number(begin);
    if (at_ != end_ && *at_ == '.') {
      ++at_;
      is_plain = skip_digits() && is_plain;
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      is_plain = skip_digits() && is_plain;
    }
    double value = 0;
    if (is_whole || !is_plain || std::from_chars(begin, at_, value).ec != std::errc())
      return token(begin);
    return value;
  }

  json whole_number(const char* begin) const {
    std::int64_t value = 0;
    std::from_chars(begin, at_, value);
    if (*begin == '-') return value;
    return static_cast<std::uint64_t>(value);
  }

  json token(const char* begin) const {
    try {
      return json::parse(begin, at_);
    } catch (const json::exception& error) {
      fail(words_of(error), begin);
    }
  }

  /// Without nlohmann's number of the error, and the place, which is one in the token.
  static std::string words_of(const json::exception& error) {
    std::string text = error.what();
    for (std::string_view end : {"] ", "syntax error while parsing value - "})
      if (std::size_t at = text.find(end); at != std::string::npos) text.erase(0, at + end.size());
    return text;
  }

  bool skip_digits() noexcept {
    const char* begin = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != begin;
  }

  /// The next byte that is no blank; 0 at the end.
  char next() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
    return at_ == end_ ? '\0' : *at_;
  }
  bool take(char byte) noexcept {
    if (next() != byte) return false;
    ++at_;
    return true;
  }
  void expect(char byte) {
    if (!take(byte)) fail(std::string("'") + byte + "' is expected");
  }
  /// Behind the bracket.
  void enter(std::size_t depth) {
    ++at_;
    if (depth > kDeepest) fail("nested deeper than " + std::to_string(kDeepest) + " levels");
  }

  [[noreturn]] void fail(const std::string& why) const { fail(why, at_); }
  [[noreturn]] void fail(const std::string& why, const char* where) const {
    throw InvalidArgument("body",
                          "no JSON: at byte " + std::to_string(where - begin_) + ": " + why);
  }

  const char* begin_;
  const char* at_;
  const char* end_;
};

}  // namespace

json json_of(std::string_view text) { return Reader(text).whole(); }

}  // namespace vectordb
