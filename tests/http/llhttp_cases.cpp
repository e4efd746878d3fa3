// SPDX-License-Identifier: BSL-1.0
// llhttp's own cases (tests/data/llhttp-cases): what is refused there is refused here, and what is
// not is read the same, but for the differences that are listed. Requests without a Host are given
// one, as we take none without.
#include "http/characters.hpp"
#include "http_transcript.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace test;

namespace {

class Case {
 public:
  std::string name;  // "request/uri.md: Quotes in URI"
  std::string meta;
  std::string input;
  std::string log;

  bool is_request() const { return meta.find("\"request") != std::string::npos; }
  bool is_lenient() const { return meta.find("lenient") != std::string::npos; }
  bool skips_body() const { return meta.find("skipBody") != std::string::npos; }
};

std::string replaced(const std::string& text, const std::string& pattern, const std::string& by) {
  return std::regex_replace(text, std::regex(pattern), by);
}

/// Their runner is in JavaScript: an escape is a character, which becomes UTF-8.
void append_character(std::string& out, int code) {
  if (code >= 0x80) out += static_cast<char>(0xc0 | code >> 6);
  out += static_cast<char>(code < 0x80 ? code : 0x80 | (code & 0x3f));
}

/// As llhttp's own runner reads a block: a backslash at the end of a line joins it with the next,
/// and the others are escapes.
std::string unescaped(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  text = replaced(text, "\\\\\n", "");
  text = replaced(text, "\n", "\r\n");
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string rest = text.substr(i, 4);
    std::smatch found;
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
    } else if (const auto at = std::string("rntf").find(text[i + 1]); at != std::string::npos) {
      out += "\r\n\t\f"[at];
      ++i;
    } else if (std::regex_search(rest, found, std::regex("^\\\\x([0-9a-fA-F]{2})"))) {
      append_character(out, std::stoi(found[1], nullptr, 16));
      i += 3;
    } else if (std::regex_search(rest, found, std::regex("^\\\\([0-7]{1,3})"))) {
      append_character(out, std::stoi(found[1], nullptr, 8));
      i += found[1].str().size();
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<Case> cases_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::vector<Case> cases;
  std::string title, block, kind;
  for (std::string line; std::getline(stream, line);) {
    if (kind.empty() && line.starts_with("#")) title = line.substr(line.find_first_not_of("# "));
    if (line.starts_with("<!-- meta=")) {
      cases.emplace_back();
      cases.back().name =
          file.parent_path().filename().string() + "/" + file.filename().string() + ": " + title;
      cases.back().meta = line;
    } else if (line.starts_with("```")) {
      if (kind == "http") cases.back().input = unescaped(block);
      if (kind == "log") cases.back().log = block;
      kind = kind.empty() ? line.substr(3) : "";
      block.clear();
    } else if (!kind.empty()) {
      block += line + "\n";
    }
  }
  return cases;
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const char* folder : {"request", "response"}) {
    std::set<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(CASES "/") + folder))
      files.insert(entry.path());
    for (const auto& file : files)
      for (Case& one : cases_of(file)) cases.push_back(std::move(one));
  }
  return cases;
}

/// What a log says in the words of a Transcript: of each message the start, the fields, the body
/// and the trailers, and whether it ended in an error.
class Expected {
 public:
  explicit Expected(const Case& one) {
    const bool request = one.is_request();
    std::istringstream lines(one.log);
    std::string method, name, value, url, status, body;
    bool trailing = false, open = false;
    // Where a Host has to go in, from behind.
    std::size_t fields_at = 0;
    bool has_host = true;
    const auto flush = [&] {
      if (!body.empty()) text += "body " + body + "\n";
      body.clear();
    };
    for (std::string line; std::getline(lines, line);) {
      std::size_t off = 0, size = 0;
      char span[32] = "";
      int number = 0;
      std::sscanf(line.c_str(), "off=%zu", &off);
      if (std::sscanf(line.c_str(), "off=%*u len=%zu span[%31[a-z_]", &size, span) == 2) {
        const std::string_view kind = span;
        const std::string bytes = one.input.substr(off, size);
        if (kind == "method") method = bytes;
        if (kind == "url") url += bytes;
        if (kind == "status") status += bytes;
        if (kind == "header_field") name += bytes;
        if (kind == "header_value") value += bytes;
        if (kind == "body") body += bytes;
      } else if (line.find(" message begin") != std::string::npos) {
        method = url = status = name = value = fields = "";
        trailing = false;
        open = true;
        has_host = false;
      } else if (line.find(" version complete") != std::string::npos) {
        fields_at = off + 2;
      } else if (line.find(" header_value complete") != std::string::npos) {
        while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.pop_back();
        std::string& to = trailing ? trailers : fields;
        to += "  " + name + ": " + value + "\n";
        has_host = has_host || http::detail::equal_without_case(name, "host");
        name = value = "";
      } else if (line.find(" headers complete ") != std::string::npos) {
        std::sscanf(line.c_str(), "off=%*u headers complete status=%d", &number);
        if (request && !has_host) {
          if (fields_at > 0) hosts.push_back(fields_at);
          fields = "  Host: a\n" + fields;
        }
        text +=
            (request ? method + " " + url : std::to_string(number) + " " + status) + "\n" + fields;
        trailing = true;
        trailers.clear();
      } else if (line.find(" message complete") != std::string::npos) {
        flush();
        text += trailers + "end\n";
        trailers.clear();
        open = false;
      } else if (std::sscanf(line.c_str(), "off=%*u error code=%d", &number) == 1) {
        switched = number == 22;
        refused = number != 22 && number != 21;
      }
    }
    flush();
    if (refused && open && one.is_request() && !has_host && fields_at > 0)
      hosts.push_back(fields_at);
    if (!refused) text += trailers;
  }

  std::string text;
  bool refused = false;
  bool switched = false;  // to another protocol: what follows is not for the parser
  std::vector<std::size_t> hosts;

 private:
  std::string fields, trailers;
};

std::string with_hosts(const Case& one, const std::vector<std::size_t>& hosts) {
  std::string input = one.input;
  for (auto at = hosts.rbegin(); at != hosts.rend(); ++at)
    if (*at <= input.size()) input.insert(*at, "Host: a\r\n");
  return input;
}

/// Our words without what llhttp's log does not say.
std::string comparable(std::string text) {
  text = replaced(text, " 1\\.\\d (keep|close) body [^\n]*\n", "\n");
  return replaced(text, "finished\n", "");
}

std::string ours(const Case& one, const std::string& input, std::size_t piece) {
  if (one.is_request()) {
    RequestParser parser;
    return text_of(parser, input, piece);
  }
  // A response may be followed by others, each the answer to a request of its own.
  ResponseParser parser;
  return text_of(parser, input, piece,
                 [&] { parser.expect(one.skips_body() ? "HEAD" : "GET", true); });
}

bool was_refused(const std::string& text) {
  return std::regex_search(text,
                           std::regex("(^|\n)(400|413|414|431|501|505|error) (request|response):"));
}

/// Whether a truncated message was all there was left.
bool was_cut(const std::string& text) {
  return text.find("error the connection ended") != std::string::npos;
}

const char kTabs[] = "llhttp 9.2 refuses tabs around a length; later ones do not";
const char kForeign[] = "another protocol than HTTP";
const char kVersion[] = "another version than 1.0 and 1.1";
const char kFragment[] = "a fragment is no part of a target (RFC 9112, 3.2)";
const char kCoding[] = "a body is framed by chunked alone, or not at all";

/// What is read otherwise, and why: but for the first, we are stricter.
const std::map<std::string, const char*> kDifferences{
    {"request/content-length.md: Content-Length reset when no body is received",
     "their case skips the body that the request announces"},
    {"request/content-length.md: Tabs in `Content-Length` (surrounding)", kTabs},
    {"request/method.md: ANNOUNCE request with RTSP", kForeign},
    {"request/method.md: CONNECT with body", "a CONNECT has none (RFC 9110, 9.3.6)"},
    {"request/method.md: M-SEARCH request", "a target of * is for OPTIONS (RFC 9112, 3.2.4)"},
    {"request/method.md: OPTIONS request with RTSP", kForeign},
    {"request/method.md: SOURCE request with ICE", kForeign},
    {"request/sample.md: No HTTP version", kVersion},
    {"request/transfer-encoding.md: POST with `chunked` as last transfer-encoding", kFragment},
    {"request/transfer-encoding.md: POST with `chunked` as last transfer-encoding (multiple "
     "headers)",
     kFragment},
    {"request/uri.md: Fragment in URI", kFragment},
    {"response/content-length.md: Tabs in `Content-Length` (surrounding)", kTabs},
    {"response/sample.md: HTTP version 0.9", kVersion},
    {"response/sample.md: ICE response", kForeign},
    {"response/sample.md: RTSP response", kForeign},
    {"response/transfer-encoding.md: `chunked` before other transfer-encoding", kCoding},
    {"response/transfer-encoding.md: `chunkedchunked` transfer-encoding does not enable chunked "
     "enconding",
     kCoding},
    {"response/transfer-encoding.md: multiple transfer-encoding where chunked is not the last one",
     kCoding},
};

TEST(LlhttpCases, are_read_alike_but_for_the_differences_that_are_listed) {
  std::set<std::string> seen;
  int alike = 0;
  for (const Case& one : all_cases()) {
    SCOPED_TRACE(one.name);
    const Expected expected(one);
    const std::string input = with_hosts(one, expected.hosts);
    const std::string whole = ours(one, input, std::string::npos);
    std::string heard = comparable(whole);
    const bool refused = was_refused(heard);
    const bool cut = was_cut(heard);
    if (refused || cut) heard = replaced(heard, "(4\\d\\d|501|505|error) [^\n]*\n$", "");
    // The end of the connection, which their runner does not say, ends a body.
    if (whole.find("body until close") != std::string::npos && heard == expected.text + "end\n")
      heard = expected.text;
    const bool same = refused == expected.refused && (refused || heard == expected.text);
    if (expected.switched && heard.starts_with(expected.text)) continue;
    // What they take when they are asked to be lenient we refuse.
    if (one.is_lenient() && refused) continue;
    const auto difference = kDifferences.find(one.name);
    if (difference == kDifferences.end()) {
      EXPECT_TRUE(same) << one.name << "\nrefused there: " << expected.refused << "\n"
                        << expected.text << "--- ours:\n"
                        << whole << "--- input:\n"
                        << input;
      alike += same;
    } else {
      EXPECT_FALSE(same) << one.name << " is listed, and is no difference";
      seen.insert(one.name);
    }
  }
  EXPECT_EQ(seen.size(), kDifferences.size());
  EXPECT_GE(alike, 180);
}

TEST(LlhttpCases, fault75_split_at_each_byte_are_the_same) {
  int count = 0;
  for (const Case& one : all_cases()) {
    SCOPED_TRACE(one.name);
    for (const std::string& input : {one.input, with_hosts(one, Expected(one).hosts)}) {
      const std::string whole = ours(one, input, std::string::npos);
      for (std::size_t piece : {1u, 2u, 3u, 5u, 8u, 13u, 100u})
        EXPECT_EQ(ours(one, input, piece), whole) << "in pieces of " << piece;
    }
    ++count;
  }
  EXPECT_GE(count, 246);
}

}  // namespace
