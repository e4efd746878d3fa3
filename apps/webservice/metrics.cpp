// SPDX-License-Identifier: BSL-1.0
#include "webservice/metrics.hpp"

#include <asyncio/capture.hpp>
#include <asyncio/logging.hpp>

#include <algorithm>
#include <cstdio>

namespace webservice {

using namespace asyncio;

namespace {

/// A client can invent methods; each would be a series of its own.
std::string_view known_method(std::string_view method) {
  static constexpr std::array<std::string_view, 7> known{"GET",   "HEAD",   "POST",   "PUT",
                                                         "PATCH", "DELETE", "OPTIONS"};
  auto found = std::ranges::find(known, method);
  return found == known.end() ? "other" : *found;
}

int status_of(const Result<web::Response>& outcome) {
  if (outcome) return outcome.value().get_status().code();
  try {
    outcome.rethrow();
  } catch (const web::HTTPException& answer) {
    return answer.status().code();
  } catch (...) {  // only asks for the type
    return 500;
  }
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

}  // namespace

MetricsText& MetricsText::family(std::string_view name, std::string_view type,
                                 std::string_view help) {
  text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
  text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  return *this;
}

MetricsText& MetricsText::sample(std::string_view name, std::string_view labels, double value) {
  text_.append(name);
  if (!labels.empty()) text_.append("{").append(labels).append("}");
  text_.append(" ").append(number(value)).append("\n");
  return *this;
}

MetricsText& MetricsText::gauge(std::string_view name, std::string_view help, double value) {
  return family(name, "gauge", help).sample(name, {}, value);
}

MetricsText& MetricsText::counter(std::string_view name, std::string_view help, double value) {
  return family(name, "counter", help).sample(name, {}, value);
}

Coro<web::Response> RequestMetrics::measure(web::Request& request, const web::Handler& next,
                                            bool quiet) {
  TimePoint begin = get_running_loop().time();
  ++in_flight_;
  auto outcome = co_await capture(next(request));
  --in_flight_;
  double seconds = std::chrono::duration<double>(get_running_loop().time() - begin).count();
  int status = status_of(outcome);
  count(request, status, seconds);
  if (!quiet)
    log(LogLevel::info, program_,
        request.remote().str() + " " + std::string(request.method().str()) + " " +
            std::string(request.target()) + " " + std::to_string(status) + " " +
            number(seconds * 1000) + " ms");
  co_return std::move(outcome).value();
}

void RequestMetrics::count(const web::Request& request, int status, double seconds) {
  ++requests_[{known_method(request.method().str()), status}];
  if (status == 101) return;  // a conversation, and no answer that took so long
  ++total_;
  seconds_ += seconds;
  for (std::size_t i = 0; i < kBounds.size(); ++i)
    if (seconds <= kBounds[i]) ++within_[i];
}

void RequestMetrics::write(MetricsText& text) const {
  text.family("http_requests_total", "counter", "Requests that were answered.");
  for (const auto& [key, count] : requests_)
    text.sample(
        "http_requests_total",
        "method=\"" + std::string(key.first) + "\",status=\"" + std::to_string(key.second) + "\"",
        static_cast<double>(count));
  text.gauge("http_requests_in_flight", "Requests that are being answered.", in_flight_);
  text.family("http_request_seconds", "histogram", "How long answers took.");
  for (std::size_t i = 0; i < kBounds.size(); ++i)
    text.sample("http_request_seconds_bucket", "le=\"" + number(kBounds[i]) + "\"",
                static_cast<double>(within_[i]));
  text.sample("http_request_seconds_bucket", "le=\"+Inf\"", static_cast<double>(total_));
  text.sample("http_request_seconds_sum", {}, seconds_);
  text.sample("http_request_seconds_count", {}, static_cast<double>(total_));
}

}  // namespace webservice
