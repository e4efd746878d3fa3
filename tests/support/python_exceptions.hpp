// SPDX-License-Identifier: BSL-1.0
/// Python's built-in exceptions: those that the library has, under their Python names, and those
/// that only the programs raise.
#pragma once

#include <asyncio/asyncio.hpp>

#include <cerrno>
#include <cstdlib>
#include <cxxabi.h>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <typeinfo>

namespace py {

using Exception = std::exception;
using asyncio::BaseException;
using asyncio::ExceptionGroup;
using asyncio::KeyboardInterrupt;
using asyncio::RuntimeError;
using asyncio::TimeoutError;
using asyncio::TypeError;
using asyncio::ValueError;

class LookupError : public std::runtime_error {
 public:
  explicit LookupError(const std::string& text = "") : std::runtime_error(text) {}
};

class KeyError : public LookupError {
 public:
  using LookupError::LookupError;
};

class ZeroDivisionError : public std::runtime_error {
 public:
  explicit ZeroDivisionError(const std::string& text = "") : std::runtime_error(text) {}
};

/// OSError(text), which has no errno and is nothing but its text.
class OSError : public asyncio::OSError {
 public:
  explicit OSError(const std::string& text) : asyncio::OSError(EIO, text), text_(text) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

/// type(e).__name__.
inline std::string type_name(const std::type_info& type) {
  std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, nullptr), std::free);
  std::string text = name ? name.get() : type.name();
  return text.substr(text.rfind(':') + 1);
}
inline std::string type_name(const std::exception& error) { return type_name(typeid(error)); }
inline std::string type_name(const BaseException& error) { return type_name(typeid(error)); }
inline std::string type_name(const std::exception_ptr& error) {
  if (!error) return "NoneType";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return type_name(e);
  } catch (const BaseException& e) {
    return type_name(e);
  }
}

/// isinstance(x, E), for what gather(return_exceptions, ...) returns.
template <class E, class T>
bool isinstance(const asyncio::Result<T>& result) {
  return result.template holds<E>();
}

}  // namespace py
