package import PersistentData

extension PoolReader {
  /// Everything found so far, and what is wrong between the two lists of devices.
  package var findingsOfLists: Findings {
    var findings = findings
    let details = Structure.details
    for device in devices {
      checkLists(
        device, at: Site(details.label, device: device.id), into: &findings)
    }
    return findings
  }

  /// Reports an id that no device can have, and a device that one of the two lists lacks.
  func checkLists(_ device: ThinDevice, at site: Site, into findings: inout Findings) {
    if device.id > DeviceDetails.deviceIDMaximum {
      findings.report(.deviceIDTooLarge, at: site)
    }
    // When its entry is hidden by damage, the damage has been reported.
    if device.details == nil, !lostDetails.contains(where: { $0.contains(device.id) }) {
      findings.report(.deviceWithoutDetails, at: site)
    }
    if device.root == nil, !lostTopLevel.contains(where: { $0.contains(device.id) }) {
      findings.report(.deviceWithoutMappings, at: site)
    }
  }
}
