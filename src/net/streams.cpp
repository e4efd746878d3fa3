// SPDX-License-Identifier: BSL-1.0
#include "asyncio/streams.hpp"

namespace asyncio {

StreamReader::StreamReader(std::size_t limit) : StreamReader(limit, get_event_loop()) {}

StreamReader::StreamReader(std::size_t limit, const EventLoop& loop)
    : state_(detail::Ref<detail::ReaderState>::adopt(new detail::ReaderState(loop.impl(), limit))) {
}

std::optional<std::string> StreamWriter::get_extra_info(std::string_view name) const {
  if (name == "peername" && peername().family() != AddressFamily::unspecified)
    return peername().str();
  if (name == "sockname")
    if (auto address = sockname()) return address->str();
  return std::nullopt;
}

}  // namespace asyncio
