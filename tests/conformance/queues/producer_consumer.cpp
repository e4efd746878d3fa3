// SPDX-License-Identifier: BSL-1.0
// Two workers share a bounded queue; a sentinel per worker ends them.
#include "python.hpp"

using namespace py;

using Queue = asyncio::Queue<std::optional<int>>;

Coro<> producer(Queue& q, int n) {
  for (int i : range(n)) {
    co_await q.put(i);
    print("produced", i);
  }
  for (int i = 0; i < 2; ++i) co_await q.put(std::nullopt);
}

Coro<> consumer(std::string name, Queue& q, std::vector<int>& out) {
  while (auto item = co_await q.get()) {
    out.push_back(*item);
    co_await asyncio::sleep(0s);
  }
  print(name, "ends");
}

Coro<> main_() {
  Queue q(2);
  std::vector<int> out;
  co_await asyncio::gather(producer(q, 6), consumer("c1", q, out), consumer("c2", q, out));
  print("consumed:", unpack(sorted(out)));
}

int main() { asyncio::run(main_()); }
