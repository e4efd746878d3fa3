// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/backend.hpp"
#include "simulated_wire.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// TCP, UDP and Unix streams between the tasks of one loop, in memory: what the backend calls do
/// when there is no operating system. Every address can be bound and reached; names of sockets are
/// numbers that no real descriptor has.
///
/// What one socket does to another is an event, delivered by the next poll: in the order of their
/// making for seed 0, else in an order that the seed decides. With a latency, or where the way is
/// cut, bytes and ends are pieces on their way before that.
class SimulatedNetwork : public Backend, public SimulatedWire {
 public:
  void heal() noexcept override;
  std::size_t reset_connections(const std::string& host) noexcept override;
  std::size_t count_sockets() const noexcept override { return sockets_.size(); }

  bool has_system_descriptors() const noexcept override { return false; }
  bool supports(Opcode opcode) const noexcept override;
  bool start(Operation& operation) noexcept override;
  std::int64_t attempt(Operation& operation) noexcept override;
  void cancel(Operation& operation) noexcept override;
  void forget(Operation& operation) noexcept override;

  int socket(int family, int type, int protocol) noexcept override;
  int bind(int fd, const sockaddr* address, std::uint32_t size) noexcept override;
  int listen(int fd, int backlog) noexcept override;
  int setsockopt(int fd, int level, int name, const void* value,
                 std::uint32_t size) noexcept override;
  int getsockopt(int fd, int level, int name, void* value, std::uint32_t& size) noexcept override;
  int getsockname(int fd, sockaddr* address, std::uint32_t& size) noexcept override;
  int getpeername(int fd, sockaddr* address, std::uint32_t& size) noexcept override;
  int shutdown(int fd, int how) noexcept override;
  // Names of Unix sockets are no files here: they are free when the socket is closed.
  std::int64_t socket_inode(const char* path) noexcept override;
  int unlink(const char* path) noexcept override;
  int adopt(int fd) noexcept override;
  int close_fd(int fd) noexcept override;

 protected:
  struct Address {
    bool operator==(const Address& other) const noexcept;
    bool wildcard() const noexcept;
    std::uint16_t port() const noexcept;
    void set_port(std::uint16_t port) noexcept;
    bool local() const noexcept;
    std::string host() const;

    sockaddr_storage storage{};
    std::uint32_t size = 0;
  };

  /// What is on its way to a socket.
  struct Piece {
    enum class Kind : std::uint8_t { bytes, end, reset, connection };

    TimePoint arrives;  // TimePoint::max(): when the cut is mended
    Kind kind;
    std::string bytes;
  };

  struct Datagram {
    Address from;
    std::string bytes;
  };

  /// One end of a connection, a listener, or a socket that is neither yet; or one for datagrams.
  struct Socket {
    enum class State : std::uint8_t { fresh, listening, connected };

    int number = -1;
    int family = 0;
    bool datagrams = false;
    State state = State::fresh;
    bool bound = false;
    bool end_received = false;  // no more bytes will come: the peer has closed or shut down
    bool read_shut = false;
    bool write_shut = false;
    bool read_notified = false;  // an event for it is on its way
    bool write_notified = false;
    int error = 0;           // a reset, reported once
    Socket* peer = nullptr;  // null once the peer is closed
    Address local;
    Address remote;
    std::string incoming;
    std::deque<Piece> coming;  // in the order of sending, and so of arrival
    std::size_t coming_bytes = 0;
    std::size_t backlog = 0;
    std::deque<Datagram> inbox;
    std::size_t inbox_bytes = 0;
    std::deque<int> accepted;  // connections that nobody has accepted yet
    List<Operation> readers;
    List<Operation> writers;
  };

  SimulatedNetwork(std::uint64_t seed, FaultLayer* faults)
      : Backend(faults), SimulatedWire(seed), seed_(seed) {}

  virtual std::int64_t perform(Socket& socket, Operation& op) noexcept;
  std::uint64_t seed() const noexcept { return seed_; }
  /// Delivers the events that are due. Returns false if there was none.
  bool deliver();
  /// When the next piece arrives; TimePoint::max() if none is on its way.
  TimePoint next_arrival() const noexcept;

 private:
  /// How many bytes are on their way before a sender has to wait.
  static constexpr std::size_t kPipeSize = 64 * 1024;
  static constexpr int kFirstNumber = 1 << 20;
  static constexpr std::uint16_t kFirstPort = 49152;

  struct Event {
    int number;
    bool writing;
  };

  Socket* find(int fd) noexcept;
  Socket* find_listener(const Address& address) noexcept;
  bool in_use(const Address& address, bool datagrams) noexcept;
  int bind_to(Socket& socket, const Address& address) noexcept;
  void give_name(Socket& socket, const Address& remote) noexcept;
  Socket& make_socket(int family) noexcept;

  std::int64_t perform_connect(Socket& socket, const Operation& op) noexcept;
  std::int64_t perform_accept(Socket& socket, Operation& op) noexcept;
  std::int64_t perform_recv(Socket& socket, void* to, std::size_t size, int flags) noexcept;
  std::int64_t perform_send(Socket& socket, const void* from, std::size_t size) noexcept;
  std::int64_t perform_sendmsg(Socket& socket, const Operation& op) noexcept;

  std::int64_t perform_datagram(Socket& socket, Operation& op) noexcept;
  std::int64_t connect_datagrams(Socket& socket, const Operation& op) noexcept;
  std::int64_t send_datagram(Socket& socket, const Operation& op) noexcept;
  std::int64_t receive_datagram(Socket& socket, Operation& op) noexcept;
  /// The address of an operation; false if it does not fit the socket.
  static bool copy_address(Address& to, const Operation& op, const Socket& socket);
  static Address sender_of(const Socket& socket, const Address& to);
  Socket* find_receiver(const Address& to, const Address& from) noexcept;
  void land(const Address& to, Datagram datagram) noexcept;
  bool deliver_datagrams();

  static bool readable(const Socket& socket) noexcept;
  static bool writable(const Socket& socket) noexcept;

  /// How many more bytes may be sent to `socket`.
  static std::size_t room(const Socket& socket) noexcept;
  bool cut_off(const Socket& socket) const;
  void send_piece(Socket& to, Piece::Kind kind, std::string_view bytes = {}) noexcept;
  void arrive(Socket& to, Piece::Kind kind, std::string_view bytes) noexcept;
  bool deliver_pieces();
  void lose_pieces(Socket& socket) noexcept;
  /// Those whose request has arrived and was not answered.
  void retry_connections() noexcept;
  void break_connection(Socket& socket) noexcept;

  void notify(Socket& socket, bool writing) noexcept;
  void serve(Socket& socket, bool writing) noexcept;
  void reset(Socket& socket) noexcept;
  void disconnect(Socket& socket) noexcept;
  void cancel_all(Socket& socket) noexcept;

  std::uint64_t seed_;
  std::map<int, std::unique_ptr<Socket>> sockets_;
  std::vector<Event> events_;
  std::set<std::pair<TimePoint, int>> arrivals_;  // of each socket's first coming piece
  std::multimap<TimePoint, std::pair<Address, Datagram>> flights_;  // by arrival
  int next_number_ = kFirstNumber;
  std::uint16_t next_port_ = kFirstPort;
};

}  // namespace asyncio::detail
