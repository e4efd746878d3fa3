// SPDX-License-Identifier: BSL-1.0
/// What the target `routes` looks at.
#pragma once

#include "choices.hpp"

#include <span>
#include <string>
#include <string_view>

namespace fuzz {

inline std::string_view some_of(Choices& choices, std::span<const std::string_view> words) {
  return words[choices.byte() % words.size()];
}

// Each in a file of its own: which route a path has, and with what parts;
void find_routes(Choices& choices);
void add_any_pattern(const std::string& text);
// which file of a folder is sent, and whose session a cookie is;
void ask_for_files(Choices& choices);
void visit_again(Choices& choices);
// in which coding a body is sent;
void choose_coding(Choices& choices);
void accept_anything(const std::string& text);
// and what the environment excepts from its proxy.
void except_hosts(Choices& choices);
void except_networks(Choices& choices);

}  // namespace fuzz
