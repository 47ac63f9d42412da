# Compiler settings shared by every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

find_package(Threads REQUIRED)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)

add_library(huiliu_settings INTERFACE)
target_include_directories(huiliu_settings INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(huiliu_settings INTERFACE -Wall -Wextra -Wconversion -Wshadow)
# Designated initialisers leave out what has a default. g++ 12 warns falsely of overlapping copies in
# std::string's operator+ (GCC bug 105651).
target_compile_options(huiliu_settings INTERFACE -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(huiliu_settings INTERFACE -Wno-restrict)
  # With -O3 it takes strings of temporaries for uninitialised, and writes into them for too long.
  target_compile_options(huiliu_settings INTERFACE
    $<$<CONFIG:Release>:-Wno-maybe-uninitialized> $<$<CONFIG:Release>:-Wno-stringop-overflow>)
endif()
if(HUILIU_WERROR)
  target_compile_options(huiliu_settings INTERFACE -Werror)
endif()
if(HUILIU_SANITIZE)
  target_compile_definitions(huiliu_settings INTERFACE HUILIU_SANITIZED=1)
  # Without no-recover a finding of UBSan is printed and the test passes.
  target_compile_options(huiliu_settings INTERFACE -fsanitize=${HUILIU_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(huiliu_settings INTERFACE -fsanitize=${HUILIU_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(huiliu_settings INTERFACE -fsanitize-ignorelist=${PROJECT_SOURCE_DIR}/tests/sanitizers.ignore)
  endif()
endif()
if(HUILIU_FUZZ)
  target_compile_options(huiliu_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(HUILIU_MUTANTS)
  target_compile_definitions(huiliu_settings INTERFACE HUILIU_MUTANTS=1)
endif()
target_link_libraries(huiliu_settings INTERFACE Threads::Threads)
