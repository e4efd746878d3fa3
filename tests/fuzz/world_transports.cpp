// SPDX-License-Identifier: BSL-1.0
// Transports and protocols: what a task does with them, and what they do to a protocol.
#include "world_transports.hpp"

#include "world.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace fuzz {

using namespace asyncio;

namespace {

constexpr std::size_t kSides = 10;
constexpr int kPort = 81;

std::string counting_from(std::size_t first, std::size_t count) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(first++ % 256);
  return bytes;
}

}  // namespace

// --- What a transport calls -------------------------------------------------------------------

void Side::connection_made(std::shared_ptr<Transport> transport) {
  check(stage_ == Stage::fresh, "connection_made comes twice");
  stage_ = Stage::made;
  transport_ = std::move(transport);
  client_ =
      transport_->get_extra_info(role_ == Role::client ? "sockname" : "peername").value_or("");
  react();
}

void Side::check_may_receive() const {
  check(stage_ == Stage::made, "bytes or their end come outside of the connection");
  check(!reading_paused_, "bytes or their end come while reading is paused");
  check(!is_closed_, "bytes or their end come to a transport that is closed");
  check(!has_ended_, "bytes or their end come behind the end");
}

void Side::data_received(std::string data) {
  check_may_receive();
  check(!data.empty(), "a piece without bytes");
  check(data == counting_from(read_, data.size()), "bytes were lost or exchanged");
  read_ += data.size();
  react();
}

/// Whatever a peer has written comes before its end, unless something broke.
bool Side::eof_received() {
  check_may_receive();
  has_ended_ = true;
  const Side* peer = world_.peer_of(*this);
  if (peer && !peer->is_cut_) check(read_ == peer->written_, "the end comes before the last byte");
  is_closed_ = !keeps_open_;
  return keeps_open_;
}

void Side::connection_lost(std::exception_ptr error) {
  check(stage_ != Stage::fresh, "connection_lost comes without connection_made");
  check(stage_ == Stage::made, "connection_lost comes twice");
  stage_ = Stage::lost;
  if (error) is_cut_ = true;
  transport_.reset();
}

void Side::pause_writing() {
  check(stage_ == Stage::made && !writing_paused_, "pause_writing comes twice");
  writing_paused_ = true;
}

void Side::resume_writing() {
  check(stage_ == Stage::made && writing_paused_, "resume_writing comes without pause_writing");
  writing_paused_ = false;
}

void Side::react() {
  if (world_.choices.one_in(4)) act();
  if (!world_.choices.one_in(32)) return;
  is_cut_ = true;
  world_.fail_now();
}

// --- What is done with a transport ------------------------------------------------------------

void Side::act() {
  if (!transport_) return;
  switch (world_.choices.below(9)) {
    case 1:
      reading_paused_ = true;
      transport_->pause_reading();
      break;
    case 2:
      reading_paused_ = false;
      transport_->resume_reading();
      break;
    case 3:
      close();
      break;
    case 4:
      abort();
      break;
    case 5:
      write_eof();
      break;
    case 6:
      transport_->set_write_buffer_limits(world_.choices.byte());
      break;
    case 7:
      keeps_open_ = !keeps_open_;
      break;
    case 8:  // more than a connection takes at once
      write(world_.choices.byte() * std::size_t{512});
      break;
    default:
      write(world_.choices.byte());
  }
}

void Side::write(std::size_t count) {
  if (wrote_eof_) return;
  const std::string bytes = counting_from(written_, count);
  if (!transport_->is_closing()) written_ += count;
  if (world_.choices.one_in(2)) return transport_->write(bytes);
  const std::string_view all = bytes;
  const std::array<std::string_view, 2> lines{all.substr(0, count / 2), all.substr(count / 2)};
  transport_->writelines(lines);
}

void Side::write_eof() {
  wrote_eof_ = true;
  transport_->write_eof();
}

void Side::close() {
  if (!transport_) return;
  is_closed_ = true;
  transport_->close();
}

void Side::abort() {
  if (!transport_) return;
  is_closed_ = is_cut_ = true;
  transport_->abort();
}

// --- In the world -----------------------------------------------------------------------------

std::shared_ptr<Side> World::new_side(Role role) {
  sides_.push_back(std::make_shared<Side>(*this, role));
  return sides_.back();
}

/// Null also if an address was used again, so that it is not clear which one it is.
const Side* World::peer_of(const Side& side) const {
  const auto is_peer = [&](const auto& other) { return other->is_peer_of(side); };
  if (std::ranges::count_if(sides_, is_peer) != 1) return nullptr;
  return std::ranges::find_if(sides_, is_peer)->get();
}

Coro<> World::listen_with_protocols() {
  auto factory = [this] { return new_side(Role::server); };
  protocol_server_ = co_await loop_.create_server(factory, "127.0.0.1", kPort);
}

Coro<> World::connect_with_protocol(int) {
  if (sides_.size() >= kSides) co_return;
  auto factory = [this] { return new_side(Role::client); };
  auto outcome = co_await capture(loop_.create_connection(factory, "127.0.0.1", kPort));
  if (outcome.cancelled()) outcome.rethrow();
  if (outcome) check(outcome->second->was_made(), "a connection without connection_made");
}

void World::use_transport() {
  if (choices.one_in(32)) {
    for (const auto& side : sides_)
      if (side->role() == Role::server) side->will_be_cut();
    protocol_server_->abort_clients();
  } else if (choices.one_in(32)) {
    protocol_server_->close_clients();
  } else if (!sides_.empty()) {
    // A copy: what it does may add another one.
    auto side = sides_[choices.byte() % sides_.size()];
    side->act();
  }
}

void World::close_transports() {
  protocol_server_->close();
  for (const auto& side : sides_) {
    if (choices.one_in(2))
      side->abort();
    else
      side->close();
  }
}

/// Both ends of a connection may have closed with bytes that the other one does not read any more:
/// they wait for ever, as in Python.
void World::abort_transports() {
  for (const auto& side : sides_) side->abort();
}

void World::check_transports() const {
  for (const auto& side : sides_)
    check(side->is_over(), "connection_made or connection_lost has not come");
}

}  // namespace fuzz
