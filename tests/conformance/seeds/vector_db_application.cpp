// SPDX-License-Identifier: BSL-1.0
// Seed 3 sections 4.5, 7.8 and 7.10: connect, batch insert, concurrent searches, close in
// finally.
#include "python.hpp"

using namespace py;

using Vectors = Dict<std::vector<double>>;

struct Collection {
  int dim = 0;
  Vectors vectors;
};

class AsyncVectorDB {
 public:
  Coro<AsyncVectorDB&> connect() {
    co_await asyncio::sleep(10ms);
    print("已连接数据库");
    co_return *this;
  }

  Coro<> create_collection(std::string name, int dim = 128) {
    co_await asyncio::sleep(0s);
    collections_[name].dim = dim;
  }

  Coro<std::size_t> batch_insert(std::string collection, Vectors vectors) {
    co_await asyncio::sleep(0s);
    collections_[collection].vectors.update(vectors);
    co_return len(vectors);
  }

  Coro<std::vector<std::string>> search(std::string collection, int top_k = 5) {
    if (!collections_.contains(collection)) throw LookupError("no collection " + collection);
    co_await asyncio::sleep(0s);
    co_return map([](int i) { return f("doc_{}", i); }, range(top_k));
  }

  Coro<> close() {
    co_await asyncio::sleep(0s);
    print("已关闭连接");
  }

 private:
  Dict<Collection> collections_;
};

Coro<std::string> application(std::string collection) {
  AsyncVectorDB made;
  auto& db = co_await made.connect();
  auto use = [&]() -> Coro<std::string> {
    co_await db.create_collection("app", 4);
    Vectors items;
    for (int i : range(50)) items[f("item_{}", i)] = std::vector<double>(4, 0.0);
    auto n = co_await db.batch_insert("app", items);
    auto search = [&](int k) { return db.search(collection, k); };
    auto found = co_await asyncio::gather(map(search, list(1, 2, 3)));
    print(f("完成 {} 次查询:", len(found)), unpack(found[2]));
    co_return f("inserted {}, success", n);
  };
  auto report = [](const Exception& e) { return f("error: {}", e); };
  auto clean_up = [&]() -> Coro<> {
    co_await db.close();
    print("清理完成");
  };
  co_return co_await asyncio::try_(use).except<Exception>(report).finally_(clean_up);
}

int main() {
  print("应用结果:", asyncio::run(application("app")));
  print("应用结果:", asyncio::run(application("nowhere")));
}
