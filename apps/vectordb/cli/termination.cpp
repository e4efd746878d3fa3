// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/termination.hpp"

#include <asyncio/task.hpp>

#include <csignal>

namespace vectordb::cli {

using namespace asyncio;

Termination::Termination() : loop_(get_running_loop()) {
  TaskHandle task = current_task().value();
  loop_.add_signal_handler(SIGTERM, [task, loop = loop_]() mutable {
    TaskHandle to_cancel = task;
    loop.remove_signal_handler(SIGTERM);  // and this function with it
    to_cancel.cancel();
  });
}

Termination::~Termination() { loop_.remove_signal_handler(SIGTERM); }

}  // namespace vectordb::cli
