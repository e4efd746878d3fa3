// SPDX-License-Identifier: BSL-1.0
/// Tables of requests to the server of apps/vectordb, and a collection that they are about.
#pragma once

#include "vectordb_served.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace test {

/// A request, and what is to come of it.
struct Case {
  std::string method, path, body;
  int status;
  std::string contains;  // the result, or the error's text
};

inline asyncio::Coro<> expect(const VectorDB& db, const std::vector<Case>& cases) {
  for (const Case& wanted : cases) {
    Said said = co_await db.ask(wanted.method, wanted.path, wanted.body);
    std::string asked = wanted.method + " " + wanted.path + " " + wanted.body + "\n" + said.body;
    EXPECT_EQ(said.status, wanted.status) << asked;
    std::string text = said.error();
    if (said.status == 200) text = said.result().dump();
    EXPECT_NE(text.find(wanted.contains), std::string::npos) << asked;
  }
}

/// A collection of four points on a line.
inline asyncio::Coro<> fill(const VectorDB& db) {
  Said made =
      co_await db.ask("PUT", "/collections/line", R"({"vectors":{"size":2,"distance":"Euclid"}})");
  EXPECT_EQ(made.status, 200) << made.body;
  Said put = co_await db.ask("PUT", "/collections/line/points?wait=true", R"({"points":[
    {"id":1,"vector":[1,0],"payload":{"city":"Berlin","n":1}},
    {"id":2,"vector":[2,0],"payload":{"city":"London","n":2}},
    {"id":3,"vector":[3,0],"payload":{"city":"Berlin","n":3}},
    {"id":"00000000-0000-0000-0000-00000000000a","vector":[4,0]}]})");
  EXPECT_EQ(put.result()["status"], "completed") << put.body;
}

}  // namespace test
