# TLS needs OpenSSL 3.
find_package(OpenSSL 3.0)
if(NOT OpenSSL_FOUND)
  message(FATAL_ERROR "asyncio: there is no OpenSSL 3 to build with; on Debian: apt install libssl-dev")
endif()
