// SPDX-License-Identifier: BSL-1.0
/// The JSON API: notes, which are kept in memory.
#pragma once

#include <asyncio/web/application.hpp>

#include <map>
#include <string>

namespace webservice {

/// GET and POST on /api/notes, GET, PUT and DELETE on /api/notes/{id}.
class Notes {
 public:
  void add_routes(asyncio::web::Application& app);
  std::size_t size() const noexcept { return texts_.size(); }

 private:
  static constexpr std::size_t kMost = 10'000;
  static constexpr std::size_t kLongest = 10'000;

  asyncio::web::Response list() const;
  asyncio::web::Response one(int id) const;
  void require(int id) const;

  std::map<int, std::string> texts_;
  int last_id_ = 0;
};

}  // namespace webservice
