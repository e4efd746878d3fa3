// SPDX-License-Identifier: BSL-1.0
/// How the client goes about its requests.
#pragma once

#include <asyncio/time.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace vectordb {

/// Of a request; servers take 32 MiB.
inline constexpr std::size_t kRequestBytes = 25'000'000;

/// Of a connection to a server.
class ClientOptions {
 public:
  using Retried =
      std::function<void(const std::string& why, int next_attempt, asyncio::Delay pause)>;

  ClientOptions() {}

  /// Sent with every request.
  ClientOptions& api_key(std::string key) { return api_key_ = std::move(key), *this; }
  /// For one attempt, to its last byte; 60 seconds.
  ClientOptions& timeout(asyncio::Delay limit) { return timeout_ = limit, *this; }
  /// How many attempts may follow the first; 4. What might be done twice is not tried again once it
  /// may have reached the server.
  ClientOptions& retries(int count) { return retries_ = count, *this; }
  /// Before the first retry; doubles, with a quarter of chance, up to 5 seconds; 100 ms. A server
  /// that names a time gets at least that.
  ClientOptions& backoff(asyncio::Delay first) { return backoff_ = first, *this; }
  /// Called before the pause of each retry, in the loop's thread; `why` is what the error would
  /// say.
  ClientOptions& on_retry(Retried callback) { return on_retry_ = std::move(callback), *this; }
  /// How many connections the pool has at most; 32.
  ClientOptions& connections(std::size_t count) { return connections_ = count, *this; }

  const std::string& get_api_key() const noexcept { return api_key_; }
  asyncio::Delay get_timeout() const noexcept { return timeout_; }
  int get_retries() const noexcept { return retries_; }
  asyncio::Delay get_backoff() const noexcept { return backoff_; }
  const Retried& get_on_retry() const noexcept { return on_retry_; }
  std::size_t get_connections() const noexcept { return connections_; }

 private:
  std::string api_key_;
  asyncio::Delay timeout_ = std::chrono::seconds(60);
  int retries_ = 4;
  asyncio::Delay backoff_ = std::chrono::milliseconds(100);
  Retried on_retry_;
  std::size_t connections_ = 32;
};

/// Of AsyncVectorDB::batch_insert.
class BatchOptions {
 public:
  using Progress = std::function<void(std::size_t done, std::size_t total)>;

  BatchOptions() {}

  /// Points of one request, or as many as bytes() allows; 256.
  BatchOptions& size(std::size_t points) { return size_ = points, *this; }
  /// Of one request, at most, unless a single point has more; 25 MB. Servers refuse more than 32
  /// MiB, unless they are told otherwise.
  BatchOptions& bytes(std::size_t count) { return bytes_ = count, *this; }
  /// Requests at a time; 4.
  BatchOptions& concurrency(std::size_t requests) { return concurrency_ = requests, *this; }
  /// Called after each request, in the loop's thread.
  BatchOptions& progress(Progress callback) { return progress_ = std::move(callback), *this; }

  std::size_t get_size() const noexcept { return size_; }
  std::size_t get_bytes() const noexcept { return bytes_; }
  std::size_t get_concurrency() const noexcept { return concurrency_; }
  const Progress& get_progress() const noexcept { return progress_; }

 private:
  std::size_t size_ = 256;
  std::size_t bytes_ = kRequestBytes;
  std::size_t concurrency_ = 4;
  Progress progress_;
};

}  // namespace vectordb
