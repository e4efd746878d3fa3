// SPDX-License-Identifier: BSL-1.0
// chat [PORT]: everybody reads what the others write. Try it with two or three `nc 127.0.0.1 8889`.
#include <asyncio/asyncio.hpp>

#include <cstdio>
#include <map>
#include <string>

using namespace asyncio;

class Room {
 public:
  Coro<> serve(StreamReader reader, StreamWriter writer) {
    co_await writer.send("What is your name?\n");
    std::string name = co_await reader.readline();
    name.resize(std::min(name.find_first_of("\r\n"), name.size()));
    if (name.empty() || !members_.emplace(name, writer).second) {
      writer.write("That name does not do.\n");
      writer.close();
      co_return;
    }
    auto talk = [&]() -> Coro<> {
      tell("* " + name + " comes in\n", name);
      while (auto line = co_await reader.next()) tell(name + ": " + *line, name);
    };
    auto leave = [&] {
      members_.erase(name);
      tell("* " + name + " leaves\n", name);
      writer.close();
    };
    co_await try_(talk).except<OSError>([] {}).finally_(leave);
  }

 private:
  static constexpr std::size_t kPatience = 256 * 1024;

  void tell(const std::string& text, const std::string& sender) {
    for (auto& [name, member] : members_) {
      if (name != sender) member.write(text);
      // Who does not listen must not make us keep everything for them.
      if (member.get_write_buffer_size() > kPatience) member.abort();
    }
  }

  std::map<std::string, StreamWriter> members_;
};

Coro<> chat(Room& room, int port) {
  auto welcome = [&](StreamReader reader, StreamWriter writer) {
    return room.serve(std::move(reader), std::move(writer));
  };
  Server server = co_await start_server(welcome, "127.0.0.1", static_cast<std::uint16_t>(port));
  std::printf("The room is at %s\n", server.sockets().at(0).str().c_str());
  std::fflush(stdout);
  co_await Event().wait();
}

int main(int argc, char** argv) {
  Room room;  // stays until the last of the handlers has ended
  return run_main(chat(room, argc > 1 ? std::stoi(argv[1]) : 8889));
}
