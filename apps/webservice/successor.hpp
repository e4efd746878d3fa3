// SPDX-License-Identifier: BSL-1.0
/// A restart that loses nothing: listening sockets go from one process to the next.
#pragma once

#include <asyncio/coro.hpp>
#include <asyncio/transport_socket.hpp>

#include <string>
#include <vector>

namespace webservice {

/// The listening sockets that the process was started with, by systemd or by its predecessor:
/// LISTEN_PID and LISTEN_FDS, as sd_listen_fds(3) has it. They are the caller's, who asks once.
/// Throws: OSError for one that is not there.
std::vector<int> inherited_sockets();

/// Tells the predecessor, if there is one, that it can go.
void tell_predecessor();

/// Starts `command` with the sockets, and waits until it calls tell_predecessor.
/// Throws: RuntimeError or OSError, which say why there is no successor; none is left running then.
/// Cancel: kills it.
asyncio::Coro<> start_successor(std::vector<std::string> command,
                                std::vector<asyncio::ListeningSocket> sockets);

}  // namespace webservice
