// SPDX-License-Identifier: BSL-1.0
#include "asyncio/shield.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "source_text.hpp"

namespace asyncio::detail {

namespace {

/// A type's name without its namespaces, as Python names classes.
std::string class_name(const std::type_info& type) {
  std::string name = type_name(type);
  return name.substr(name.rfind(':', name.find('<')) + 1);
}

}  // namespace

ShieldLink::ShieldLink(FutureState& outer, Ref<FutureState> inner) noexcept
    : Ready(&ShieldLink::inner_done), outer_(outer), inner_(std::move(inner)) {}

FutureState* ShieldLink::owner_of(Ready& node) noexcept {
  return node.run == &inner_done ? &static_cast<ShieldLink&>(node).outer_ : nullptr;
}

void ShieldLink::begin() noexcept {
  outer_.add_reference();  // until inner is done, so that an error of it is seen by somebody
  inner_->add_callback(*this);
  outer_.loop().add_combinator(*this);
}

void ShieldLink::loop_closing() noexcept {
  auto keep = Ref<FutureState>::adopt(&outer_);
  Ready::unlink();
  inner_ = nullptr;
}

void ShieldLink::inner_done(Ready& node) {
  auto& self = static_cast<ShieldLink&>(node);
  auto keep = Ref<FutureState>::adopt(&self.outer_);
  self.Combinator::unlink();
  Ref<FutureState> inner = std::move(self.inner_);
  if (self.outer_.done()) {
    if (inner->cancelled()) return;
    if (std::exception_ptr error = inner->take_error()) {
      ExceptionContext context(class_name(*error.__cxa_exception_type()) +
                               " exception in shielded future");
      context.set_exception(error).set_future(FutureHandle(inner));
      inner->loop().call_exception_handler(context);
    }
  } else if (inner->cancelled()) {
    self.outer_.set_cancelled(inner->take_error());
  } else if (std::exception_ptr error = inner->take_error()) {
    self.outer_.set_exception(error);
  } else {
    try {
      self.pass_value(inner);
    } catch (...) {  // The value could not be copied: the awaiter gets that error instead.
      self.outer_.set_exception(std::current_exception());
    }
  }
}

}  // namespace asyncio::detail
