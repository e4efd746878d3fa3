// SPDX-License-Identifier: BSL-1.0
/// What tests with real peers need of the machine.
#pragma once

#include "program.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace test {

inline constexpr const char* kPython = "/usr/bin/python3";  // Debian's, which has its packages
inline constexpr const char* kNodePath = "NODE_PATH=/usr/share/nodejs";

/// Whether the test has to do without it, and so to return at once: it is skipped then. With
/// CI=true in the environment it has failed: `./dev test` installs all peers, and nobody reads what
/// a robot has skipped.
inline bool lacks(const std::string& peer, bool is_there) {
  if (is_there) return false;
  const char* ci = std::getenv("CI");
  [&] {
    if (ci && ci == std::string_view("true"))
      FAIL() << "there is no " << peer << ": `./dev test` installs it";
    GTEST_SKIP() << "there is no " << peer;
  }();
  return true;
}

inline bool lacks_program(const std::string& program) { return lacks(program, installed(program)); }

/// Of Debian's Python.
inline bool lacks_python_module(const std::string& module) {
  const std::string probe = std::string(kPython) + " -c 'import " + module + "' >/dev/null 2>&1";
  return lacks("python3-" + module, std::system(probe.c_str()) == 0);
}

/// Of Debian's Node.
inline bool lacks_node_module(const std::string& module) {
  const std::string probe =
      std::string(kNodePath) + " node -e 'require(\"" + module + "\")' >/dev/null 2>&1";
  return lacks("node-" + module, std::system(probe.c_str()) == 0);
}

}  // namespace test
