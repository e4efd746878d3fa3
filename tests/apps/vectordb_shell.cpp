// SPDX-License-Identifier: BSL-1.0
// apps/vectordb where a shell runs it: completion, the environment, and the version.
#include "folder.hpp"
#include "vectordb_process.hpp"
#include <asyncio/asyncio.hpp>

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

using namespace asyncio;
using test::Outcome;
using test::outcome_of;
using test::Program;
using test::with_program;
using test::words;

namespace {

/// A line of bash, where `vectordb` is the program.
Coro<Outcome> in_bash(const std::string& line) {
  return outcome_of("bash", "-c", "vectordb() { " VECTORDB " \"$@\"; }\n" + line);
}

/// What bash offers for the last of these words.
Coro<std::string> completed(std::string words, std::string before = "") {
  Outcome outcome = co_await in_bash(
      before + "source <(vectordb completion bash)\nCOMP_WORDS=(" + words +
      ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_vectordb\necho \"${COMPREPLY[*]}\"");
  EXPECT_EQ(outcome.err, "");
  co_return outcome.out;
}

struct Completion {
  const char *words, *offered;
};

std::vector<Completion> completions() {
  return {{"vectordb se", "serve search\n"},
          {"vectordb d", "delete\n"},
          {"vectordb search docs --th", "--threshold\n"},
          {"vectordb serve --m", "--max-body\n"},
          {"vectordb completion ''", "bash zsh fish\n"},
          {"vectordb fly --", "\n"}};
}

TEST(VectorDBShell, bash_offers_commands_and_their_options) {
  run([]() -> Coro<> {
    for (const Completion& each : completions()) {
      std::string offered = co_await completed(each.words);
      EXPECT_EQ(offered, each.offered) << each.words;
    }
  });
}

TEST(VectorDBShell, bash_offers_the_collections_of_the_server) {
  test::Folder folder;
  with_program(folder, [](Program& program) -> Coro<> {
    for (const char* name : {"docs", "dots", "other"}) {
      Outcome made = co_await program(std::string("create ") + name + " 2");
      EXPECT_EQ(made.status, 0) << made.err;
    }
    const std::string server = "export VECTORDB_URL=" + program.url() + "\n";
    std::string offered = co_await completed("vectordb info do", server);
    EXPECT_EQ(offered, "docs dots\n");
  });
}

/// There may be none here to try it with.
TEST(VectorDBShell, zsh_gets_the_same_once_it_has_what_that_needs) {
  run([]() -> Coro<> {
    Outcome bash = co_await outcome_of(VECTORDB, "completion", "bash");
    Outcome zsh = co_await outcome_of(VECTORDB, "completion", "zsh");
    EXPECT_EQ(zsh.out,
              "(( $+functions[compdef] )) || { autoload -U +X compinit && compinit }\n"
              "autoload -U +X bashcompinit && bashcompinit\n" +
                  bash.out);
  });
}

constexpr std::array<const char*, 10> kCommands{"serve",  "create",    "insert", "export",
                                                "search", "get",       "delete", "info",
                                                "bench",  "completion"};

/// The long options in a help text.
std::set<std::string> long_options(const std::string& help) {
  std::set<std::string> all;
  for (const std::string& word : words(help)) {
    std::size_t at = word.find("--");
    if (at == std::string::npos) continue;
    all.insert(word.substr(at, word.find_first_of(",;", at) - at));
  }
  all.erase("--help");
  return all;
}

TEST(VectorDBShell, completion_knows_what_help_says) {
  run([]() -> Coro<> {
    Outcome completion = co_await outcome_of(VECTORDB, "completion", "bash");
    for (const char* command : kCommands) {
      EXPECT_NE(completion.out.find(command), std::string::npos) << command;
      Outcome help = co_await outcome_of(VECTORDB, command, "--help");
      for (const std::string& option : long_options(help.out))
        EXPECT_NE(completion.out.find(option), std::string::npos) << command << " " << option;
    }
  });
}

TEST(VectorDBShell, version) {
  run([]() -> Coro<> {
    Outcome outcome = co_await outcome_of(VECTORDB, "--version");
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "vectordb " VECTORDB_VERSION ", REST API of Qdrant 1.19.0\n");
  });
}

TEST(VectorDBShell, the_key_is_an_option_or_of_the_environment) {
  test::Folder folder;
  auto body = [](Program& program) -> Coro<> {
    Outcome none = co_await program("info");
    EXPECT_EQ(none.status, 1);
    EXPECT_EQ(none.err, "vectordb: list of collections: api-key: missing or wrong\n");
    Outcome wrong = co_await program("info --api-key secrex");
    EXPECT_EQ(wrong.err, none.err);
    Outcome option = co_await program("create docs 2 --api-key secret");
    EXPECT_EQ(option.out, "created docs\n") << option.err;
    const std::string info = "vectordb info --url " + program.url();
    Outcome environment = co_await in_bash("export VECTORDB_API_KEY=secret; " + info);
    EXPECT_EQ(environment.out, "docs\n") << environment.err;
    Outcome stronger =
        co_await in_bash("export VECTORDB_API_KEY=secret; " + info + " --api-key secrex");
    EXPECT_EQ(stronger.err, none.err);
  };
  with_program(folder, body, "--api-key secret");
}

/// Of which others that see command lines see nothing.
TEST(VectorDBShell, the_server_takes_its_key_of_the_environment) {
  test::Folder folder;
  run([&]() -> Coro<> {
    SubprocessOptions options;
    options.stdout(PIPE).stderr(DEVNULL);
    std::vector<std::string> command = test::serve_command(folder.path());
    command.insert(command.begin(), {"env", "VECTORDB_API_KEY=secret"});
    Process process = co_await create_subprocess_exec(options, command);
    std::string line = co_await process.stdout()->readline();
    Program program(process, line.substr(line.find("http://"), line.size() - 12));
    Outcome none = co_await program("info");
    EXPECT_EQ(none.err, "vectordb: list of collections: api-key: missing or wrong\n");
    Outcome key = co_await program("info --api-key secret");
    EXPECT_EQ(key.status, 0) << key.err;
    int status = co_await program.stop();
    EXPECT_EQ(status, 0);
  });
}

}  // namespace
