// SPDX-License-Identifier: BSL-1.0
/// What a site lets robots do (RFC 9309).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crawler {

/// The rules of a robots.txt for one robot. Without rules all is allowed.
class Robots {
 public:
  Robots() {}
  /// Those of the groups that name the robot, or of the groups for "*" if none does.
  Robots(std::string_view text, std::string_view robot);
  static Robots nothing_allowed();

  /// Whether it may ask for a path with its query: the longest rule that fits decides, and `Allow`
  /// if two are as long. What of either is percent-encoded makes no difference.
  bool allows(std::string_view path) const;
  /// What many sites write and the RFC does not know.
  std::optional<std::chrono::nanoseconds> crawl_delay() const noexcept { return crawl_delay_; }

 private:
  struct Rule {
    std::string pattern;
    bool allow;
  };

  void add_line(std::string_view name, std::string_view value);

  std::vector<Rule> rules_;
  std::optional<std::chrono::nanoseconds> crawl_delay_;
};

}  // namespace crawler
