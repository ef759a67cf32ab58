"""Workbooks as the office publishes them, written for a test."""

import openpyxl


def workbook(path, sheets):
    """Write sheets (name -> rows) and return the path."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path
