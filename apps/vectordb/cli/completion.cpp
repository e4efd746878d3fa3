// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/commands.hpp"

#include <array>

namespace vectordb::cli {

namespace {

struct Words {
  const char* command;
  bool asks_server;
  const char* words;  // beside kClient
};

// Compared with --help by the tests.
constexpr const char* kClient = "--url --api-key --json --timeout --retries --quiet --verbose ";
constexpr std::array<Words, 10> kCommands{{
    {"serve", false, "--host --port --data --api-key --max-body --threads --grace --quiet"},
    {"create", true, "--distance --m --ef-construct"},
    {"insert", true, "--format --first-id --batch --concurrency"},
    {"export", true, "--output --batch"},
    {"search", true, "--vector --near --top-k --exact --ef --threshold --filter"},
    {"get", true, ""},
    {"delete", true, "--all --filter"},
    {"info", true, ""},
    {"bench", true,
     "--collection --points --dim --seconds --concurrency --top-k --ef --exact --keep"},
    {"completion", false, "bash zsh fish"},
}};

std::string words_of(const Words& words) {
  return (words.asks_server ? kClient : "") + std::string(words.words);
}

// bashcompinit needs compinit, which a ~/.zshrc may call later, or not at all.
constexpr const char* kZsh =
    "(( $+functions[compdef] )) || { autoload -U +X compinit && compinit }\n"
    "autoload -U +X bashcompinit && bashcompinit\n";

std::string all_commands() {
  std::string all;
  for (const Words& words : kCommands) all.append(all.empty() ? "" : " ").append(words.command);
  return all;
}

/// Collections are asked of the server, wherever it is.
std::string bash() {
  std::string text =
      "_vectordb() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
      "    words='" +
      all_commands() +
      "'\n"
      "  else\n"
      "    case $command in\n";
  for (const Words& words : kCommands)
    text += std::string("      ") + words.command + ") words='" + words_of(words) + "' ;;\n";
  text +=
      "    esac\n"
      "    case $command in serve | completion | bench | create) ;; *)\n"
      "      [ \"$COMP_CWORD\" = 2 ] && words=\"$words $(vectordb info --timeout 1 --retries 0 "
      "2>/dev/null)\" ;;\n"
      "    esac\n"
      "  fi\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "}\n"
      "complete -o default -F _vectordb vectordb\n";
  return text;
}

std::string fish() {
  std::string text = "complete -c vectordb -n __fish_use_subcommand -xa '" + all_commands() + "'\n";
  for (const Words& words : kCommands)
    text += std::string("complete -c vectordb -n '__fish_seen_subcommand_from ") + words.command +
            "' -a '" + words_of(words) + "'\n";
  return text;
}

}  // namespace

std::string completion(const std::string& shell) {
  if (shell == "fish") return fish();
  if (shell == "zsh") return kZsh + bash();
  return bash();
}

}  // namespace vectordb::cli
