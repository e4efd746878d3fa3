// SPDX-License-Identifier: BSL-1.0
// What of io_uring pays for sockets and files, measured without the library: `./dev bench ring`.
// Each line is the median of seven rounds, in which both ways take turns: the processor time of the
// thread that uses the ring, for one operation.
#include <liburing.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <functional>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr int kRounds = 7;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

class Ring {
 public:
  Ring() {
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    if (io_uring_queue_init_params(64, &ring_, &parameters) != 0) give_up("io_uring");
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { io_uring_queue_exit(&ring_); }

  io_uring* get() { return &ring_; }
  io_uring_sqe* next() { return io_uring_get_sqe(&ring_); }

  /// Submits, and takes completions until none is to follow; the result of the first.
  int finish() {
    io_uring_submit(&ring_);
    int result = 0;
    bool is_first = true, more = true;
    while (more) {
      io_uring_cqe* cqe = nullptr;
      if (io_uring_wait_cqe(&ring_, &cqe) != 0) give_up("wait");
      if (is_first) result = cqe->res;
      is_first = false;
      more = (cqe->flags & IORING_CQE_F_MORE) != 0;
      io_uring_cqe_seen(&ring_, cqe);
    }
    return result;
  }

 private:
  io_uring ring_{};
};

/// Two ends of a TCP connection over loopback.
std::pair<int, int> connection() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), here = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, generic, size) != 0 || listen(listener, 1) != 0) give_up("listen");
  if (getsockname(listener, generic, &size) != 0 || connect(here, generic, size) != 0)
    give_up("connect");
  int there = accept(listener, nullptr, nullptr);
  close(listener);
  int on = 1;
  setsockopt(here, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {here, there};
}

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Prints what one operation costs either way.
void compare(const char* what, const char* one, const std::function<void(int)>& first,
             const char* other, const std::function<void(int)>& second, int count) {
  std::vector<double> figures[2];
  for (int round = 0; round < kRounds; ++round) {
    for (int way = 0; way < 2; ++way) {
      double begin = thread_seconds();
      (way == 0 ? first : second)(count);
      figures[way].push_back((thread_seconds() - begin) / count * 1e9);
    }
  }
  double a = median_of(figures[0]), b = median_of(figures[1]);
  std::printf("%-28s %-16s %9.0f ns   %-16s %9.0f ns   %.2f\n", what, one, a, other, b, b / a);
}

void sends(std::size_t size) {
  Ring ring;
  auto ends = connection();
  int here = ends.first, there = ends.second;
  std::thread reader([there] {
    std::vector<char> room(std::size_t{1} << 20);
    while (recv(there, room.data(), room.size(), 0) > 0) {
    }
  });
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  auto send_by = [&](bool without_copy, int count) {
    for (int i = 0; i < count; ++i) {
      if (without_copy)
        io_uring_prep_send_zc(ring.next(), here, data, size, MSG_WAITALL, 0);
      else
        io_uring_prep_send(ring.next(), here, data, size, MSG_WAITALL);
      if (ring.finish() != static_cast<int>(size)) give_up("send");
    }
  };
  char what[32];
  std::snprintf(what, sizeof what, "%zu KiB over TCP", size >> 10);
  int count = static_cast<int>(std::clamp<std::size_t>((std::size_t{64} << 20) / size, 200, 5000));
  compare(
      what, "send", [&](int n) { send_by(false, n); }, "send_zc", [&](int n) { send_by(true, n); },
      count);
  shutdown(here, SHUT_RDWR);
  reader.join();
  close(here);
  close(there);
  munmap(data, size);
}

/// `number` of the descriptor itself or, if it is registered, of its place in the ring's table.
void echoes(Ring& ring, int here, int there, bool registered, int count) {
  char byte[64] = {};
  for (int i = 0; i < count; ++i) {
    for (int step = 0; step < 2; ++step) {
      io_uring_sqe* sqe = ring.next();
      int number = registered ? step : step == 0 ? here : there;
      if (step == 0)
        io_uring_prep_send(sqe, number, byte, sizeof byte, 0);
      else
        io_uring_prep_recv(sqe, number, byte, sizeof byte, MSG_WAITALL);
      if (registered) sqe->flags |= IOSQE_FIXED_FILE;
      if (ring.finish() != sizeof byte) give_up("echo");
    }
  }
}

void reads(Ring& ring, int file, bool registered, int count) {
  static char room[4096];
  for (int i = 0; i < count; ++i) {
    io_uring_sqe* sqe = ring.next();
    io_uring_prep_read(sqe, registered ? 2 : file, room, sizeof room, 0);
    if (registered) sqe->flags |= IOSQE_FIXED_FILE;
    if (ring.finish() != sizeof room) give_up("read");
  }
}

void registered_files(const char* program) {
  Ring ring;
  auto [here, there] = connection();
  int file = open(program, O_RDONLY | O_CLOEXEC);
  int files[] = {here, there, file};
  if (io_uring_register_files(ring.get(), files, 3) != 0) give_up("register");
  compare(
      "send and receive 64 B", "descriptors", [&](int n) { echoes(ring, here, there, false, n); },
      "registered", [&](int n) { echoes(ring, here, there, true, n); }, 20'000);
  compare(
      "read 4 KiB from the cache", "descriptor", [&](int n) { reads(ring, file, false, n); },
      "registered", [&](int n) { reads(ring, file, true, n); }, 50'000);
  close(here);
  close(there);
  close(file);
}

}  // namespace

int main(int, char** words) {
  for (std::size_t kib : {4, 16, 64, 256, 1024}) sends(kib << 10);
  registered_files(words[0]);
}
