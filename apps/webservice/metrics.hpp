// SPDX-License-Identifier: BSL-1.0
/// What the service counts, for Prometheus and for the log.
#pragma once

#include <asyncio/eventloop.hpp>
#include <asyncio/web/application.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace webservice {

/// Text in Prometheus' format, line by line.
class MetricsText {
 public:
  MetricsText& family(std::string_view name, std::string_view type, std::string_view help);
  MetricsText& sample(std::string_view name, std::string_view labels, double value);
  MetricsText& gauge(std::string_view name, std::string_view help, double value);
  MetricsText& counter(std::string_view name, std::string_view help, double value);
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// Counts requests.
class RequestMetrics {
 public:
  /// `program` is whose lines they are in the log; it lives as long.
  explicit RequestMetrics(std::string_view program) : program_(program) {}

  /// A middleware; the outermost, so that it sees every answer. Without `quiet` it logs a line for
  /// each.
  asyncio::Coro<asyncio::web::Response> measure(asyncio::web::Request& request,
                                                const asyncio::web::Handler& next, bool quiet);
  void write(MetricsText& text) const;

 private:
  static constexpr std::array<double, 8> kBounds{0.001, 0.005, 0.025, 0.1, 0.25, 1, 5, 25};

  void count(const asyncio::web::Request& request, int status, double seconds);

  std::string_view program_;
  std::map<std::pair<std::string_view, int>, std::uint64_t> requests_;  // method, status
  std::array<std::uint64_t, kBounds.size()> within_{};
  std::uint64_t total_ = 0;
  double seconds_ = 0;
  int in_flight_ = 0;
};

}  // namespace webservice
