# `cpack -G DEB` in a build folder, or `cpack --preset deb`: a Debian package of what `cmake --install`
# installs, and of the service: the unit huiliu@.service, and scripts that make its user and folders.
# `cmake --install` leaves the service out, since its unit names /usr/bin/huiliu.

# The man page and the completions are what the program itself says. They are written at the
# installation, so that no build has to run the program.
set(said ${PROJECT_BINARY_DIR}/package)
install(CODE "
  set(huiliu \"$<TARGET_FILE:huiliu_main>\")
  set(said \"${said}\")")
install(CODE [[
  file(MAKE_DIRECTORY ${said})
  execute_process(COMMAND ${huiliu} reference --man ${said} COMMAND_ERROR_IS_FATAL ANY)
  foreach(shell IN ITEMS bash zsh fish)
    execute_process(COMMAND ${huiliu} completion ${shell} OUTPUT_FILE ${said}/completion.${shell}
      COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  # -n leaves name and time out, so that the same source gives the same package.
  execute_process(COMMAND gzip -9nkf ${said}/huiliu.1 COMMAND_ERROR_IS_FATAL ANY)]])
install(FILES ${said}/huiliu.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${said}/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME huiliu)
install(FILES ${said}/completion.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _huiliu)
install(FILES ${said}/completion.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME huiliu.fish)

set(deploy ${PROJECT_SOURCE_DIR}/deploy)
install(FILES ${deploy}/systemd/huiliu@.service DESTINATION lib/systemd/system
  COMPONENT service EXCLUDE_FROM_ALL)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/huiliu
  RENAME copyright COMPONENT service EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME huiliu)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "the Huiliu contributors")
set(CPACK_PACKAGE_CONTACT "the Huiliu contributors <huiliu@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "stream topology engine, exactly once")
set(CPACK_PACKAGE_DESCRIPTION "Huiliu runs stream topologies: sources, operators and sinks that a YAML file
describes, exactly once, with files, SQLite and Kafka.")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/package)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_INSTALL_CMAKE_PROJECTS
  "${PROJECT_BINARY_DIR};huiliu;ALL;/;${PROJECT_BINARY_DIR};huiliu;service;/")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
# The libraries that the binary is linked with, by Debian's own rules for their versions; adduser
# for the service's user.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${deploy}/debian/postinst ${deploy}/debian/prerm ${deploy}/debian/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
