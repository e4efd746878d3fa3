// SPDX-License-Identifier: BSL-1.0
// A vector database: its server, and a client of it; --help says what it does.
#include "vectordb/cli/command.hpp"

int main(int argc, char** argv) { return vectordb::run_command(argc, argv); }
