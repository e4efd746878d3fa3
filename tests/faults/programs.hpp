// SPDX-License-Identifier: BSL-1.0
/// Small programs over everything that asks the system for something, to be run while it fails.
#pragma once

#include "asyncio/asyncio.hpp"

#include <ostream>
#include <span>
#include <stdexcept>
#include <vector>

namespace faults {

using asyncio::Coro;

/// What a program throws that was given something wrong as if it were right.
class Wrong : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};
inline void require(bool condition, const char* what) {
  if (!condition) throw Wrong(what);
}

/// Does one thing once. It ends, or throws an error that says why it could not.
struct Program {
  const char* name;
  Coro<> (*run)();
  bool everywhere = true;  // also where there are no descriptors of the system

  friend void PrintTo(const Program& program, std::ostream* out) { *out << program.name; }
};

/// Those that ask the system for something.
std::vector<Program> programs();
/// Those of them that speak HTTP.
std::span<const Program> http_programs();
/// Those that take memory alone.
std::span<const Program> core_programs();

}  // namespace faults
