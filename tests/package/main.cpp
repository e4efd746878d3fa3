// SPDX-License-Identifier: BSL-1.0
// What a stranger writes first. Built in several ways against the installed library and its
// sources.
#include "library.hpp"

int main() { return echoed("hello\n") == "hello\n" ? 0 : 1; }
