// SPDX-License-Identifier: BSL-1.0
#include "sweep_case.hpp"

namespace sweep {

std::vector<Entry> all_entries() {
  std::vector<Entry> all;
  for (auto some : {
           core_entries(),
           combined_entries(),
           composed_entries(),
           net_entries(),
           dial_entries(),
           transport_entries(),
           process_entries(),
           stream_entries(),
           descriptor_entries(),
#ifdef ASYNCIO_SWEEP_HTTP
           http_entries(),
           web_entries(),
           site_entries(),
#endif
       })
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace sweep
