// SPDX-License-Identifier: BSL-1.0
/// Which handler answers a path.
#pragma once

#include "asyncio/http/multi_dict.hpp"
#include "asyncio/web/handler.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::web::detail {

/// A route: "/users/{id:int}/files/{rest...}".
struct Route {
  std::string pattern;
  std::vector<std::string> names;
  std::map<std::string, Handler, std::less<>> handlers;  // by method; "*" for all others
};

/// A tree of path segments. What stands in the text is preferred to what has a name, a name of a
/// kind to one without, and one that takes the rest comes last.
class Router {
 public:
  /// Throws: ValueError for a pattern that makes no sense, or a method that is there already.
  Route& add(std::string_view method, std::string_view pattern, BoundHandler handler);

  /// The route for a path, still percent-encoded; null if there is none. The values of its names go
  /// to `parts`, decoded.
  const Route* find(std::string_view raw_path, std::vector<std::string>& parts) const;

 private:
  enum class Kind : unsigned char { number, text, rest };
  struct Node;
  struct Named {
    Kind kind;
    std::unique_ptr<Node> node;
  };
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
    std::vector<Named> named;  // by kind
    std::unique_ptr<Route> route;
  };

  static Named parse_name(std::string_view pattern, std::string_view segment, std::string& name);
  static Node& child_for(Node& parent, std::string_view pattern, std::string_view segment,
                         Route& route);
  static const Route* find_in(const Node& node, std::string_view rest,
                              std::vector<std::string>& parts);
  static const Route* find_named(const Named& named, std::string_view segment,
                                 std::string_view rest, bool is_last,
                                 std::vector<std::string>& parts);

  Node root_;
};

}  // namespace asyncio::web::detail
