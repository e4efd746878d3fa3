// SPDX-License-Identifier: BSL-1.0
/// The hooks of a request that is under way: RequestTraces.
#pragma once

#include "asyncio/http/head.hpp"
#include "asyncio/http/tracing.hpp"

#include <any>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace asyncio::http::detail {

/// Null if nobody wants to know.
class RequestTraces {
 public:
  RequestTraces(const std::vector<TraceConfig>& configs, Method request_method, URL request_url)
      : method(std::move(request_method)),
        url(std::move(request_url)),
        configs_(configs),
        contexts_(configs.size()) {}

  /// Calls the hooks of that event; `fill(params)` says what they are told.
  template <class F>
  void tell(TraceEvent event, F&& fill) {
    for (std::size_t i = 0; i < configs_.size(); ++i) {
      const TraceConfig::Hook& hook = configs_[i].get(event);
      if (!hook) continue;
      TraceParams params(contexts_[i], method, url);
      fill(params);
      hook(params);
    }
  }
  void tell(TraceEvent event) {
    tell(event, [](TraceParams&) {});
  }

  Method method;
  URL url;

 private:
  std::vector<TraceConfig> configs_;
  std::vector<std::any> contexts_;
};

using Traces = std::shared_ptr<RequestTraces>;

inline void tell_headers_sent(RequestTraces& traces, const RequestHead& head) {
  traces.tell(TraceEvent::request_headers_sent,
              [&](TraceParams& params) { params.headers = &head.headers; });
}

/// Of request_redirect and request_end.
inline void tell_response(RequestTraces& traces, TraceEvent event, const ResponseHead& head) {
  traces.tell(event, [&](TraceParams& params) {
    params.headers = &head.headers;
    params.status = head.status;
  });
}

inline void tell_exception(RequestTraces& traces, const std::exception_ptr& error) {
  traces.tell(TraceEvent::request_exception,
              [&](TraceParams& params) { params.exception = error; });
}

}  // namespace asyncio::http::detail
