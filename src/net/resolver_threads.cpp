// SPDX-License-Identifier: BSL-1.0
#include "resolver_threads.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/dns.hpp"
#include "asyncio/exceptions.hpp"
#include "net_state.hpp"
#include "sockaddr.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <netdb.h>
#include <string>
#include <system_error>
#include <utility>

namespace asyncio::detail {

namespace {

/// More addresses of one name than this are not looked at.
constexpr std::size_t kMaxAddresses = 256;

/// The names of an address.
std::vector<SocketAddress> look_up_names(const ResolveRequest& request) {
  RawAddress raw = SocketAddressAccess::to_raw(request.address);
  char host[NI_MAXHOST];
  char service[NI_MAXSERV];
  int code =
      ::getnameinfo(raw.get(), raw.size, host, sizeof host, service, sizeof service, request.flags);
  if (code == EAI_SYSTEM) throw_os_error(errno, "getnameinfo " + request.address.str());
  if (code != 0) throw GaiError(code, request.address.str());
  request.names->host = host;
  request.names->service = service;
  return {request.address};
}

using AddressList = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

AddressList ask(const char* host, const std::string& service, const addrinfo& hints,
                const std::string& asked_for) {
  addrinfo* list = nullptr;
  int code = ::getaddrinfo(host, service.c_str(), &hints, &list);
  if (code == EAI_SYSTEM) throw_os_error(errno, "getaddrinfo '" + asked_for + "'");
  if (code != 0) throw GaiError(code, asked_for);
  return AddressList(list, ::freeaddrinfo);
}

std::vector<SocketAddress> look_up(const ResolveRequest& request) {
  if (request.names) return look_up_names(request);
  if (request.kinds) {
    look_up_kinds(request);
    return {};
  }
  addrinfo hints{};
  hints.ai_family = system_family(request.family);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = request.flags;
  AddressList list = ask(request.host.c_str(), std::to_string(request.port), hints, request.host);
  if (request.canonname && list->ai_canonname) *request.canonname = list->ai_canonname;
  std::vector<SocketAddress> addresses;
  for (addrinfo* entry = list.get(); entry && addresses.size() < kMaxAddresses;
       entry = entry->ai_next) {
    SocketAddress address = SocketAddressAccess::from_raw(entry->ai_addr, entry->ai_addrlen);
    if (address.family() != AddressFamily::unspecified) addresses.push_back(address);
  }
  if (addresses.empty()) throw GaiError(EAI_NONAME, request.host);
  return addresses;
}

/// Signals are for the program's own threads.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &previous_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t previous_;
};

}  // namespace

/// For an address that is none of a host's: which kinds there are depends on the service alone.
void look_up_kinds(const ResolveRequest& request) {
  SocketKinds& kinds = *request.kinds;
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = kinds.type;
  hints.ai_protocol = kinds.proto;
  hints.ai_flags = AI_NUMERICHOST | (kinds.numeric ? AI_NUMERICSERV : 0);
  AddressList list = ask("127.0.0.1", kinds.service, hints, request.host);
  kinds.port = SocketAddressAccess::from_raw(list->ai_addr, list->ai_addrlen).port();
  for (addrinfo* entry = list.get(); entry; entry = entry->ai_next)
    kinds.found.emplace_back(entry->ai_socktype, entry->ai_protocol);
}

ResolveJob::ResolveJob(ResolveRequest what, Resolve& who)
    : Ready(&ResolverThreads::on_answer), request(std::move(what)), waiter(&who) {}

ResolverThreads::ResolverThreads(Backend& backend)
    : backend_(backend), shared_(std::make_shared<Shared>()) {
  shared_->loop = &backend.loop();
  backend.add_resource(*this);
}

ResolverThreads::~ResolverThreads() { loop_closing(); }

ResolverThreads& ResolverThreads::of(Backend& backend) {
  auto& threads = net_state(backend).resolver;
  if (!threads) threads = std::make_shared<ResolverThreads>(backend);
  return *threads;
}

std::shared_ptr<ResolveJob> ResolverThreads::submit(Backend& backend, const ResolveRequest& request,
                                                    Resolve& waiter) {
  ResolverThreads& self = of(backend);
  auto job = std::make_shared<ResolveJob>(request, waiter);
  job->threads = &self;
  auto kept = self.jobs_.emplace(job.get(), job).first;  // before a thread can know of it
  try {
    self.enqueue(job);
  } catch (...) {  // Rethrown: nobody has it.
    self.jobs_.erase(kept);
    throw;
  }
  backend.external_work(1);
  return job;
}

void ResolverThreads::enqueue(const std::shared_ptr<ResolveJob>& job) {
  std::unique_lock lock(shared_->mutex);
  shared_->queue.push_back(job);
  if (shared_->idle >= shared_->queue.size() || threads_.size() == kMaxThreads) {
    shared_->wanted.notify_one();
    return;
  }
  lock.unlock();
  try {
    start_thread(job->request.host);
  } catch (...) {  // Rethrown, unless a thread is at work: then the job will have its turn.
    if (!threads_.empty()) return;
    lock.lock();
    shared_->queue.pop_back();
    throw;
  }
}

void ResolverThreads::start_thread(const std::string& host) {
  SignalsBlocked blocked;
  try {
    threads_.emplace_back(&ResolverThreads::work, shared_, threads_.size());
  } catch (const std::system_error& e) {
    throw_os_error(e.code().value(), "start a thread to resolve '" + host + "'");
  }
}

void ResolverThreads::work(std::shared_ptr<Shared> shared, std::size_t index) {
  std::unique_lock lock(shared->mutex);
  while (shared->loop) {
    if (shared->queue.empty()) {
      ++shared->idle;
      shared->wanted.wait(lock);
      --shared->idle;
      continue;
    }
    std::shared_ptr<ResolveJob> job = std::move(shared->queue.front());
    shared->queue.pop_front();
    shared->busy[index] = true;
    lock.unlock();
    try {
      job->addresses = look_up(job->request);
    } catch (...) {  // Thrown again in the task that awaits the answer.
      job->error = std::current_exception();
    }
    lock.lock();
    shared->busy[index] = false;
    if (shared->loop) shared->loop->post(*job);
  }
}

void ResolverThreads::on_answer(Ready& node) {
  auto& answered = static_cast<ResolveJob&>(node);
  ResolverThreads& self = *answered.threads;
  auto job = std::move(self.jobs_.extract(&answered).mapped());
  self.backend_.external_work(-1);
  if (job->waiter) job->waiter->finish(std::move(job->addresses), std::move(job->error));
}

void ResolverThreads::abandon(Backend& backend, const std::shared_ptr<ResolveJob>& job) noexcept {
  job->waiter = nullptr;
  auto self = net_state(backend).resolver;
  if (!self) return;
  std::lock_guard lock(self->shared_->mutex);
  if (std::erase(self->shared_->queue, job) == 0) return;
  self->jobs_.erase(job.get());
  backend.external_work(-1);
}

void ResolverThreads::loop_closing() noexcept {
  {
    std::lock_guard lock(shared_->mutex);
    shared_->loop = nullptr;
    shared_->queue.clear();
    shared_->wanted.notify_all();
    // A busy one may take for ever; the others leave as soon as they have the mutex.
    for (std::size_t i = 0; i < threads_.size(); ++i)
      if (shared_->busy[i]) threads_[i].detach();
  }
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
  threads_.clear();
  jobs_.clear();
}

}  // namespace asyncio::detail
