// SPDX-License-Identifier: BSL-1.0
/// The command line.
#pragma once

namespace vectordb {

/// `int main`. Returns: the exit status, one of cli::Exit.
int run_command(int argc, char** argv);

}  // namespace vectordb
