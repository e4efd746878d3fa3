// SPDX-License-Identifier: BSL-1.0
#include "http/router.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/http/method.hpp"
#include "asyncio/http/percent.hpp"
#include "http/characters.hpp"
#include "http/uri_characters.hpp"

#include <algorithm>

namespace asyncio::web::detail {

namespace {

[[noreturn]] void refuse(std::string_view pattern, const std::string& reason) {
  throw ValueError("route '" + std::string(pattern) + "': " + reason);
}

/// As it stands in requests: methods have case, and those that there are have large letters.
std::string method_of(std::string_view given, std::string_view pattern) {
  try {
    std::string method(http::Method(given).str());
    for (char& c : method)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return method;
  } catch (const ValueError& error) {
    refuse(pattern, error.what());
  }
}

/// The first segment, without the '/' behind it, which goes from `path` as well.
std::string_view take_segment(std::string_view& path, bool& is_last) noexcept {
  std::size_t end = path.find('/');
  is_last = end == std::string_view::npos;
  std::string_view segment = path.substr(0, end);
  path.remove_prefix(is_last ? path.size() : end + 1);
  return segment;
}

bool is_number(std::string_view text) noexcept {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, http::detail::is_digit);
}

std::string decoded(std::string_view text) {
  if (text.find('%') == std::string_view::npos) return std::string(text);
  return http::unquote(text);
}

}  // namespace

Router::Named Router::parse_name(std::string_view pattern, std::string_view segment,
                                 std::string& name) {
  std::string_view inner = segment.substr(1, segment.size() - 2);
  Kind kind = Kind::text;
  if (inner.ends_with("...")) {
    kind = Kind::rest;
    inner.remove_suffix(3);
  } else if (std::size_t colon = inner.find(':'); colon != std::string_view::npos) {
    std::string_view type = inner.substr(colon + 1);
    if (type == "int")
      kind = Kind::number;
    else if (type == "path")
      kind = Kind::rest;
    else if (type != "str")
      refuse(pattern, "'" + std::string(type) + "' is none of int, str and path");
    inner = inner.substr(0, colon);
  }
  if (!http::detail::is_token(inner)) refuse(pattern, "a name is missing in '{}'");
  name = inner;
  return {kind, nullptr};
}

Router::Node& Router::child_for(Node& parent, std::string_view pattern, std::string_view segment,
                                Route& route) {
  if (segment.find_first_of("{}") == std::string_view::npos) {
    auto& child = parent.children[decoded(segment)];
    if (!child) child = std::make_unique<Node>();
    return *child;
  }
  if (!segment.starts_with('{') || segment.find('}') != segment.size() - 1)
    refuse(pattern, "a name takes a whole segment: '" + std::string(segment) + "'");
  std::string name;
  Named named = parse_name(pattern, segment, name);
  if (std::ranges::find(route.names, name) != route.names.end())
    refuse(pattern, "'" + name + "' is there twice");
  route.names.push_back(std::move(name));
  auto at = std::ranges::lower_bound(parent.named, named.kind, {}, &Named::kind);
  if (at == parent.named.end() || at->kind != named.kind) {
    named.node = std::make_unique<Node>();
    at = parent.named.insert(at, std::move(named));
  }
  return *at->node;
}

Route& Router::add(std::string_view given_method, std::string_view pattern, BoundHandler bound) {
  const std::string method = method_of(given_method, pattern);
  if (!pattern.starts_with('/')) refuse(pattern, "it does not begin with '/'");
  auto route = std::make_unique<Route>();
  route->pattern = pattern;
  Node* node = &root_;
  std::string_view rest = pattern.substr(1);
  bool is_last = false;
  while (!is_last) {
    std::string_view segment = take_segment(rest, is_last);
    node = &child_for(*node, pattern, segment, *route);
    const bool takes_rest = segment.ends_with("...}") || segment.ends_with(":path}");
    if (!is_last && takes_rest) refuse(pattern, "nothing can follow the rest");
  }
  if (bound.parts) check_parameter_count(pattern, route->names.size(), *bound.parts);
  if (!node->route)
    node->route = std::move(route);
  else if (node->route->names != route->names)
    refuse(pattern, "'" + node->route->pattern + "' has other names for the same");
  auto [at, is_new] = node->route->handlers.try_emplace(method, bound.handler);
  if (!is_new) refuse(pattern, method + " has a handler already");
  return *node->route;
}

const Route* Router::find(std::string_view raw_path, std::vector<std::string>& parts) const {
  if (!raw_path.starts_with('/')) return nullptr;
  return find_in(root_, raw_path.substr(1), parts);
}

const Route* Router::find_in(const Node& node, std::string_view rest,
                             std::vector<std::string>& parts) {
  std::string_view all = rest;
  bool is_last = false;
  std::string_view segment = take_segment(rest, is_last);
  auto child = segment.find('%') == std::string_view::npos
                   ? node.children.find(segment)
                   : node.children.find(http::unquote(segment));
  if (child != node.children.end()) {
    const Route* found =
        is_last ? child->second->route.get() : find_in(*child->second, rest, parts);
    if (found) return found;
  }
  for (const Named& named : node.named) {
    const Route* found =
        find_named(named, segment, named.kind == Kind::rest ? all : rest, is_last, parts);
    if (found) return found;
  }
  return nullptr;
}

const Route* Router::find_named(const Named& named, std::string_view segment, std::string_view rest,
                                bool is_last, std::vector<std::string>& parts) {
  if (named.kind == Kind::rest) {
    if (named.node->route) parts.push_back(decoded(rest));
    return named.node->route.get();
  }
  if (segment.empty() || (named.kind == Kind::number && !is_number(segment))) return nullptr;
  parts.push_back(decoded(segment));
  const Route* found = is_last ? named.node->route.get() : find_in(*named.node, rest, parts);
  if (!found) parts.pop_back();
  return found;
}

}  // namespace asyncio::web::detail
