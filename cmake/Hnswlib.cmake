# The index of vectors: the system's hnswlib, or the copy in third_party. Either is the target
# asyncio_hnswlib. Debian 12 has 0.6.2, which has no filters and is not taken.
set(ASYNCIO_SYSTEM_HNSWLIB OFF CACHE STRING "Use the system's hnswlib 0.8: ON or OFF")
set_property(CACHE ASYNCIO_SYSTEM_HNSWLIB PROPERTY STRINGS ON OFF)
set(hnswlib_folder "${PROJECT_SOURCE_DIR}/third_party")
if(ASYNCIO_SYSTEM_HNSWLIB)
  find_path(ASYNCIO_HNSWLIB_INCLUDE_DIR hnswlib/stop_condition.h)  # new in 0.8
  if(NOT ASYNCIO_HNSWLIB_INCLUDE_DIR)
    message(FATAL_ERROR "asyncio: there is no hnswlib 0.8 or newer; leave ASYNCIO_SYSTEM_HNSWLIB "
      "at OFF for the copy in third_party")
  endif()
  set(hnswlib_folder "${ASYNCIO_HNSWLIB_INCLUDE_DIR}")
endif()
add_library(asyncio_hnswlib INTERFACE)
target_include_directories(asyncio_hnswlib SYSTEM INTERFACE "${hnswlib_folder}")
