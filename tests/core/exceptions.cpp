// SPDX-License-Identifier: BSL-1.0
/// The classes of exceptions, and groups of them (A2.5, A3.3, A10).
#include "asyncio/exceptions.hpp"

#include "asyncio/exception_group.hpp"
#include "captures.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

using namespace asyncio;

namespace {

template <class E>
bool caught_as(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const E&) {
    return true;
  } catch (...) {  // Only asks for the type.
    return false;
  }
}

TEST(Exceptions, R10_errors_of_the_system_have_pythons_class_and_name_operation_and_reason) {
  const std::pair<int, const char*> classes[] = {
      {EAGAIN, "BlockingIOError"},
      {EALREADY, "BlockingIOError"},
      {EINPROGRESS, "BlockingIOError"},
      {EPIPE, "BrokenPipeError"},
      {ESHUTDOWN, "BrokenPipeError"},
      {ECHILD, "ChildProcessError"},
      {ECONNABORTED, "ConnectionAbortedError"},
      {ECONNREFUSED, "ConnectionRefusedError"},
      {ECONNRESET, "ConnectionResetError"},
      {EEXIST, "FileExistsError"},
      {ENOENT, "FileNotFoundError"},
      {EINTR, "InterruptedError"},
      {EISDIR, "IsADirectoryError"},
      {ENOTDIR, "NotADirectoryError"},
      {EACCES, "PermissionError"},
      {EPERM, "PermissionError"},
      {ESRCH, "ProcessLookupError"},
      {ETIMEDOUT, "TimeoutError"},
      {EBADF, "OSError"},
  };
  for (auto [number, name] : classes) {
    std::exception_ptr error = make_os_error(number, "open /x");
    std::string reason = std::generic_category().message(number);
    if (number == ETIMEDOUT) reason = "timed out";
    EXPECT_EQ(describe_exception(error), "asyncio::" + std::string(name) + ": open /x: " + reason);
    EXPECT_TRUE(caught_as<OSError>(error)) << name;
    EXPECT_TRUE(caught_as<std::system_error>(error)) << name;
    EXPECT_FALSE(caught_as<BaseException>(error)) << name;
    try {
      std::rethrow_exception(error);
    } catch (const OSError& of_system) {
      EXPECT_EQ(of_system.error_number(), number);
    }
  }
  for (int number : {EPIPE, ESHUTDOWN, ECONNABORTED, ECONNREFUSED, ECONNRESET})
    EXPECT_TRUE(caught_as<ConnectionError>(make_os_error(number, "x")));
}

TEST(Exceptions, R10_D3_a_report_of_a_group_tells_of_each_of_its_errors) {
  ExceptionGroup inner("inside", {std::make_exception_ptr(TypeError("two"))});
  ExceptionGroup group(
      "several", {std::make_exception_ptr(ValueError("one")), std::make_exception_ptr(inner)});
  EXPECT_EQ(describe_exception(std::make_exception_ptr(group)),
            "asyncio::ExceptionGroup: several (2 sub-exceptions)\n"
            "  asyncio::ValueError: one\n"
            "  ExceptionGroup: inside (1 sub-exception)\n"
            "    asyncio::TypeError: two");
}

TEST(Exceptions, A2_5_derive_keeps_the_message_and_predicates_split) {
  ExceptionGroup group("mixed", {std::make_exception_ptr(ValueError("one")),
                                 std::make_exception_ptr(LookupError("two"))});
  ExceptionGroup derived = group.derive({std::make_exception_ptr(TypeError("three"))});
  EXPECT_EQ(derived.message(), "mixed");
  ASSERT_EQ(derived.exceptions().size(), 1u);
  EXPECT_EQ(describe_exception(derived.exceptions()[0]), "asyncio::TypeError: three");
  EXPECT_THROW(group.derive({}), ValueError);

  auto is_two = [](const std::exception_ptr& error) {
    return describe_exception(error) == "asyncio::LookupError: two";
  };
  auto [two, rest] = group.split(is_two);
  ASSERT_TRUE(two && rest);
  EXPECT_EQ(two->message(), "mixed");
  EXPECT_EQ(two->exceptions().size(), 1u);
  EXPECT_EQ(describe_exception(rest->exceptions().at(0)), "asyncio::ValueError: one");
  EXPECT_FALSE(rest->subgroup(is_two));
}

}  // namespace
