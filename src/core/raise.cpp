// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/raise.hpp"

#if defined(__GLIBCXX__) && !defined(__ARM_EABI_UNWINDER__) && !defined(__USING_SJLJ_EXCEPTIONS__)

#include <cstdint>
#include <cstring>
#include <cxxabi.h>
#include <new>
#include <unwind.h>

namespace asyncio::detail {

namespace {

/// What std::rethrow_exception throws: an exception that refers to another. It is libstdc++'s
/// __cxa_dependent_exception (libsupc++/unwind-cxx.h), whose layout is a part of its ABI, since
/// every program has code in it that reads one.
struct Dependent {
  void* primary;
  void (*padding)(void*);
  void (*unexpected_handler)();
  std::terminate_handler terminate_handler;
  Dependent* next;
  int handler_count;
  int handler_switch_value;
  const unsigned char* action_record;
  const unsigned char* language_data;
  _Unwind_Ptr catch_temporary;
  void* adjusted;
  _Unwind_Exception header;
};

/// The C++ ABI's __cxa_eh_globals, which libstdc++ declares without its members.
struct Globals {
  void* caught;
  unsigned int uncaught;
};

/// "GNUCC++" and a one, which says that it is dependent.
constexpr std::uint64_t kDependentClass = 0x474e5543432b2b01;

std::exception_ptr take_primary(Dependent& dependent) noexcept {
  std::exception_ptr error;
  static_assert(sizeof error == sizeof dependent.primary);
  std::memcpy(static_cast<void*>(&error), &dependent.primary, sizeof error);
  return error;
}

void give_primary(Dependent& dependent, std::exception_ptr&& error) noexcept {
  alignas(std::exception_ptr) unsigned char kept[sizeof error];  // its reference is the dependent's
  ::new (kept) std::exception_ptr(std::move(error));
  std::memcpy(&dependent.primary, kept, sizeof kept);
}

/// The last handler has ended.
void cleanup(_Unwind_Reason_Code code, _Unwind_Exception* header) noexcept {
  auto* dependent = reinterpret_cast<Dependent*>(header + 1) - 1;
  if (code != _URC_FOREIGN_EXCEPTION_CAUGHT && code != _URC_NO_REASON) std::terminate();
  std::exception_ptr primary = take_primary(*dependent);
  abi::__cxa_free_dependent_exception(reinterpret_cast<abi::__cxa_dependent_exception*>(dependent));
}

}  // namespace

void* prepare_raise(std::exception_ptr&& error) noexcept {
  auto* dependent = reinterpret_cast<Dependent*>(abi::__cxa_allocate_dependent_exception());
  give_primary(*dependent, std::move(error));
  dependent->unexpected_handler = &std::terminate;
  dependent->terminate_handler = std::get_terminate();
  dependent->header.exception_class = kDependentClass;
  dependent->header.exception_cleanup = &cleanup;
  ++reinterpret_cast<Globals*>(abi::__cxa_get_globals())->uncaught;
  return &dependent->header;
}

void end_raise(void* prepared) noexcept {
  abi::__cxa_begin_catch(prepared);
  std::terminate();
}

}  // namespace asyncio::detail

#endif
