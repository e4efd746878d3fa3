// SPDX-License-Identifier: BSL-1.0
/// The chapter "Exceptions" of asyncio's documentation, and the built-in exceptions it builds on.
///
/// What cancels or interrupts derives from BaseException, which is not a std::exception: so
/// `catch (const std::exception&)` never swallows a cancellation, as `except Exception` does not
/// in Python. Everything else derives from std::runtime_error or, with an errno, from
/// std::system_error.
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

namespace asyncio {

/// The root of what is not an ordinary error. Copying never throws.
class BaseException {
 public:
  explicit BaseException(const std::string& message = {}) : text_(message) {}
  BaseException(const BaseException&) noexcept = default;
  BaseException& operator=(const BaseException&) noexcept = default;
  virtual ~BaseException();

  virtual const char* what() const noexcept { return text_.what(); }

 private:
  std::runtime_error text_;  // a string whose copies do not throw
};

/// Thrown at the await of a cancelled task. Clean up and rethrow it.
class CancelledError final : public BaseException {
 public:
  explicit CancelledError(const std::string& message = {}) : BaseException(message) {}
  ~CancelledError() override;
};

/// What `run` throws after Ctrl-C, once the main task has ended cancelled.
class KeyboardInterrupt final : public BaseException {
 public:
  explicit KeyboardInterrupt(const std::string& message = {}) : BaseException(message) {}
  ~KeyboardInterrupt() override;
};

/// Thrown at the `co_yield` of an asynchronous generator that is being closed.
class GeneratorExit final : public BaseException {
 public:
  GeneratorExit() = default;
  ~GeneratorExit() override;
};

/// Misuse, or a state in which the call makes no sense.
class RuntimeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An argument has the right type but an impossible value.
class ValueError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An argument has the wrong kind.
class TypeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A name, key or index that is not there.
class LookupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A result was asked for too early, or set a second time.
class InvalidStateError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The operating system refused something. `what()` is "operation object: reason".
class OSError : public std::system_error {
 public:
  OSError(int error_number, const std::string& operation)
      : std::system_error(error_number, std::generic_category(), operation) {}

  int error_number() const noexcept { return code().value(); }

 protected:
  OSError(std::error_code code, const std::string& operation)
      : std::system_error(code, operation) {}
};

/// An operation did not end in its time: "operation: timed out". For a timeout scope `cause()` is
/// the CancelledError that ended its body.
class TimeoutError : public OSError {
 public:
  explicit TimeoutError(const std::string& operation = {}, std::exception_ptr cause = {});

  const char* what() const noexcept override { return text_.c_str(); }
  const std::exception_ptr& cause() const noexcept { return cause_; }

 private:
  std::string text_;
  std::exception_ptr cause_;
};

/// EAGAIN, EALREADY, EINPROGRESS.
class BlockingIOError : public OSError {
 public:
  using OSError::OSError;
};

/// ECHILD.
class ChildProcessError : public OSError {
 public:
  using OSError::OSError;
};

/// EEXIST.
class FileExistsError : public OSError {
 public:
  using OSError::OSError;
};

/// ENOENT.
class FileNotFoundError : public OSError {
 public:
  using OSError::OSError;
};

/// EINTR.
class InterruptedError : public OSError {
 public:
  using OSError::OSError;
};

/// EISDIR.
class IsADirectoryError : public OSError {
 public:
  using OSError::OSError;
};

/// ENOTDIR.
class NotADirectoryError : public OSError {
 public:
  using OSError::OSError;
};

/// EACCES, EPERM.
class PermissionError : public OSError {
 public:
  using OSError::OSError;
};

/// ESRCH.
class ProcessLookupError : public OSError {
 public:
  using OSError::OSError;
};

class ConnectionError : public OSError {
 public:
  using OSError::OSError;
};

class BrokenPipeError : public ConnectionError {
 public:
  using ConnectionError::ConnectionError;
};

class ConnectionAbortedError : public ConnectionError {
 public:
  using ConnectionError::ConnectionError;
};

class ConnectionRefusedError : public ConnectionError {
 public:
  using ConnectionError::ConnectionError;
};

class ConnectionResetError : public ConnectionError {
 public:
  using ConnectionError::ConnectionError;
};

/// The system cannot send this file to this socket; fall back to reading and writing.
class SendfileNotAvailableError : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
};

/// The stream ended before the bytes that were asked for.
class IncompleteReadError : public std::runtime_error {
 public:
  IncompleteReadError(std::string partial, std::optional<std::size_t> expected);

  /// What had arrived before the end.
  std::string partial;
  /// How many bytes were asked for, if that was a number: not for `readuntil`.
  std::optional<std::size_t> expected;
};

/// The separator was not found within the reader's limit.
class LimitOverrunError : public std::runtime_error {
 public:
  LimitOverrunError(const std::string& message, std::size_t consumed);

  /// How many bytes should be consumed before trying again.
  std::size_t consumed;
};

/// The barrier was reset or aborted while a task waited in it.
class BrokenBarrierError : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
};

class QueueEmpty : public std::runtime_error {
 public:
  QueueEmpty();
};

class QueueFull : public std::runtime_error {
 public:
  QueueFull();
};

class QueueShutDown : public std::runtime_error {
 public:
  QueueShutDown();
};

/// Throws the class that fits `error_number`: TimeoutError, ConnectionRefusedError, ..., OSError.
[[noreturn]] void throw_os_error(int error_number, const std::string& operation);

/// The same as a pointer, without throwing.
std::exception_ptr make_os_error(int error_number, const std::string& operation);

/// "ValueError: text", for logs: the class and message of any exception, also a foreign one.
std::string describe_exception(const std::exception_ptr& error);

namespace detail {

/// What an exception means to a task, found from its type alone (a rethrow costs a microsecond).
enum class ErrorKind { ordinary, cancelled, interrupt };
ErrorKind classify(const std::exception_ptr& error) noexcept;

}  // namespace detail

}  // namespace asyncio
