// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

/// `line` as it comes back from an echo server.
std::string echoed(std::string line);
