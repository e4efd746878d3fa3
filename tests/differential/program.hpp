// SPDX-License-Identifier: BSL-1.0
/// A program of the differential run, as program.py writes it.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace differential {

class Statement;
using Block = std::vector<Statement>;

/// A block, and the words that it begins with, as "except error"; none for the first of a
/// statement.
class Section {
 public:
  std::vector<std::string> header;
  std::vector<Statement> block;
};

class Statement {
 public:
  const Block& block() const { return sections.front().block; }

  std::string op;
  std::vector<std::string> args;
  std::vector<Section> sections;
  int line = 0;
};

/// The statements up to a line that is "."; false at the end of the input.
bool read_program(std::istream& input, Block& program);

}  // namespace differential
