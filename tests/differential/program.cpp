// SPDX-License-Identifier: BSL-1.0
#include "program.hpp"

#include <istream>
#include <sstream>
#include <utility>

namespace differential {

namespace {

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool opens_block(const std::string& op) {
  for (const char* opener : {"body", "try", "timeout", "group", "with", "repeat", "soon", "later"})
    if (op == opener) return true;
  return false;
}

/// Reads lines and knows how many there were.
class Reader {
 public:
  explicit Reader(std::istream& input) : input_(input) {}

  /// Up to "end", a further section or ".", which `last` then holds.
  Block block(std::vector<std::string>& last) {
    Block statements;
    while (next(last)) {
      if (last.front() == "end" || last.front() == "." || last.front() == "except" ||
          last.front() == "finally")
        break;
      statements.push_back(statement(last));
    }
    return statements;
  }

 private:
  bool next(std::vector<std::string>& words) {
    std::string line;
    do {
      if (!std::getline(input_, line)) {
        words.clear();
        return false;
      }
      ++line_;
      words = words_of(line);
    } while (words.empty());
    return true;
  }

  Statement statement(std::vector<std::string> words) {
    Statement made;
    made.op = std::move(words.front());
    made.line = line_;
    words.erase(words.begin());
    made.args = std::move(words);
    std::vector<std::string> header;
    while (opens_block(made.op)) {
      std::vector<std::string> last;
      Section section;
      section.block = block(last);
      section.header = std::move(header);
      made.sections.push_back(std::move(section));
      if (last.empty() || last.front() == "end") break;
      header = std::move(last);
    }
    return made;
  }

  std::istream& input_;
  int line_ = 0;
};

}  // namespace

bool read_program(std::istream& input, Block& program) {
  std::vector<std::string> last;
  program = Reader(input).block(last);
  return !last.empty();
}

}  // namespace differential
