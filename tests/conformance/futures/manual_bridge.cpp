// SPDX-License-Identifier: BSL-1.0
// A future created by hand turns a callback API into something awaitable.
#include "python.hpp"

using namespace py;

class Device {
 public:
  explicit Device(asyncio::EventLoop loop) : loop_(loop) {}

  template <class OnDone, class OnError>
  void read(OnDone on_done, OnError on_error, bool fail) {
    if (fail)
      loop_.call_soon(on_error, OSError("device gone"));
    else
      loop_.call_soon(on_done, "payload");
  }

 private:
  asyncio::EventLoop loop_;
};

Coro<std::string> read(Device& device, bool fail = false) {
  auto fut = asyncio::get_running_loop().create_future<std::string>();
  device.read([fut](std::string payload) mutable { fut.set_result(payload); },
              [fut](OSError error) mutable { fut.set_exception(error); }, fail);
  co_return co_await fut;
}

Coro<> main_() {
  Device d(asyncio::get_running_loop());
  print(co_await read(d));
  try {
    co_await read(d, true);
  } catch (const OSError& e) {
    print("OSError:", e);
  }
}

int main() { asyncio::run(main_()); }
