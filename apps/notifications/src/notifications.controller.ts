import { Customer } from '@cairn/auth';
import { ApiProblems } from '@cairn/http';
import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { listQuery, notificationList, type ListQuery } from './notifications.schemas.ts';
import { NotificationsService } from './notifications.service.ts';

@ApiTags('notifications')
@ApiBearerAuth()
@Controller('api/v1/notifications')
export class NotificationsController {
  constructor(private readonly notifications: NotificationsService) {}

  @Get()
  @ApiOperation({ summary: 'List what the customer was told about an order, oldest first' })
  @ApiResponse({ status: 200, standardSchema: notificationList })
  @ApiProblems({ invalid: 'orderId is missing or does not fit' })
  listNotifications(@Customer() customer: string, @Query({ schema: listQuery }) { orderId }: ListQuery) {
    return this.notifications.list(customer, orderId);
  }
}
