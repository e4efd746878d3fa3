// SPDX-License-Identifier: BSL-1.0
/// Connections with protocols, as the operations of `operations.cpp` use them.
#pragma once

#include "asyncio/asyncio.hpp"
#include "captures.hpp"

#include <cstddef>
#include <exception>
#include <memory>
#include <string>

namespace fuzz {

class World;

enum class Role { client, server };

/// One end of a connection, and what its transport may call when. What is written counts up from 0,
/// byte by byte; so what comes has to count up as well.
class Side final : public asyncio::Protocol {
 public:
  Side(World& world, Role role) : world_(world), role_(role) {}

  void connection_made(std::shared_ptr<asyncio::Transport> transport) override;
  void data_received(std::string data) override;
  bool eof_received() override;
  void connection_lost(std::exception_ptr error) override;
  void pause_writing() override;
  void resume_writing() override;

  /// One operation on the transport, if there is one.
  void act();
  void close();
  void abort();
  /// Somebody else aborts it: what was written may not arrive.
  void will_be_cut() noexcept { is_cut_ = true; }

  Role role() const noexcept { return role_; }
  bool was_made() const noexcept { return stage_ != Stage::fresh; }
  bool is_over() const noexcept { return stage_ == Stage::lost; }
  bool is_peer_of(const Side& other) const noexcept {
    return role_ != other.role_ && !client_.empty() && client_ == other.client_;
  }

 private:
  enum class Stage { fresh, made, lost };

  void write(std::size_t count);
  void write_eof();
  void check_may_receive() const;
  /// Now and then a protocol does something while it is called, or throws.
  void react();

  World& world_;
  const Role role_;
  std::string client_;  // its address, which both ends know
  std::shared_ptr<asyncio::Transport> transport_;
  Stage stage_ = Stage::fresh;
  std::size_t written_ = 0;
  std::size_t read_ = 0;
  bool reading_paused_ = false;
  bool writing_paused_ = false;
  bool keeps_open_ = false;  // once the peer has ended
  bool has_ended_ = false;   // the peer
  bool wrote_eof_ = false;
  bool is_closed_ = false;  // by this end
  bool is_cut_ = false;
  test::Counted counted_;
};

}  // namespace fuzz
