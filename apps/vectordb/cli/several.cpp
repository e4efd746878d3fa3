// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/several.hpp"

#include <asyncio/capture.hpp>
#include <asyncio/exception_group.hpp>
#include <asyncio/task_group.hpp>
#include <asyncio/with.hpp>

#include <exception>

namespace vectordb::cli {

using namespace asyncio;

namespace {

[[noreturn]] void rethrow_first(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    std::rethrow_exception(group.exceptions().front());
  }
}

}  // namespace

Coro<> several(std::size_t count, const Work& work) {
  auto all = [&](TaskGroup& group) -> Coro<> {
    for (std::size_t i = 0; i < count; ++i) group.create_task(work());
    co_return;
  };
  auto outcome = co_await capture(with(TaskGroup(), all));
  if (!outcome) rethrow_first(outcome.exception());
}

}  // namespace vectordb::cli
