// SPDX-License-Identifier: BSL-1.0
/// llhttp's own cases (tests/data/llhttp-cases), and what their logs say of each. Requests without
/// a Host are given one, as we take none without.
#pragma once

#include "http/characters.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

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

inline std::string replaced(const std::string& text, const std::string& pattern,
                            const std::string& by) {
  return std::regex_replace(text, std::regex(pattern), by);
}

/// Their runner is in JavaScript: an escape is a character, which becomes UTF-8.
inline void append_character(std::string& out, int code) {
  if (code >= 0x80) out += static_cast<char>(0xc0 | code >> 6);
  out += static_cast<char>(code < 0x80 ? code : 0x80 | (code & 0x3f));
}

/// As llhttp's own runner reads a block: a backslash at the end of a line joins it with the next,
/// and the others are escapes.
inline std::string unescaped(std::string text) {
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

inline std::vector<Case> cases_of(const std::filesystem::path& file) {
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

inline std::vector<Case> all_cases() {
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
        has_host = has_host || asyncio::http::detail::equal_without_case(name, "host");
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

inline std::string with_hosts(const Case& one, const std::vector<std::size_t>& hosts) {
  std::string input = one.input;
  for (auto at = hosts.rbegin(); at != hosts.rend(); ++at)
    if (*at <= input.size()) input.insert(*at, "Host: a\r\n");
  return input;
}

}  // namespace test
