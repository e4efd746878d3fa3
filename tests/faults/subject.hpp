// SPDX-License-Identifier: BSL-1.0
/// A program on a backend, as the parameter of a test.
#pragma once

#include "programs.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace faults {

struct Subject {
  Program program;
  std::string backend;

  std::string name() const { return program.name + ("_" + backend); }
  friend void PrintTo(const Subject& subject, std::ostream* out) { *out << subject.name(); }
};

/// Those that ask the system for something, on each of `backends` that has it.
inline std::vector<Subject> subjects(std::initializer_list<std::string_view> backends) {
  std::vector<Subject> all;
  for (const Program& program : programs())
    for (std::string_view backend : backends)
      if (program.everywhere || backend != "simulated")
        all.push_back({program, std::string(backend)});
  return all;
}

inline std::string subject_name(const ::testing::TestParamInfo<Subject>& each) {
  return each.param.name();
}

}  // namespace faults
